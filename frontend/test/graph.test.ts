import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BADGE_WIDTH,
  BOLD,
  caption,
  DETAIL_SIZE,
  isSmall,
  SMALL_HEIGHT,
  SMALL_SIZE,
  TALL_HEIGHT,
  TITLE_SIZE,
  textWidth,
} from "../src/graph/caption";
import { WireError } from "../src/graph/column";
import type { Item, Network } from "../src/graph/network";
import { outline } from "../src/graph/outline";
import { readNetwork, readWire } from "../src/graph/read";
import { bytes, count, exact, flops, plain, shorten } from "../src/graph/text";
import {
  downstream,
  lift,
  nodeSet,
  nodesOf,
  shortestPath,
  union,
  upstream,
} from "../src/graph/trace";
import { randomNetwork } from "./random_network";
import { groundTruth } from "./truth";

const { wire, truth } = groundTruth();
const networks = readWire(wire).networks;
const cases = networks.map((network, at) => ({ network, truth: truth[at], name: network.name }));

function names(network: Network, marked: Uint8Array): string[] {
  return [...marked.keys()].flatMap((node) => (marked[node] ? [network.ids[node]] : [])).sort();
}

function item(network: Network, id: string): Item {
  const found = network.find(id);
  if (found === undefined) throw new Error(`${id} is not there`);
  return found;
}

describe.each(cases)("$name, as networkx has it", ({ network, truth }) => {
  test("every item lies where it did", () => {
    expect(network.ids.length).toBe(Object.keys(truth.parents).length);
    for (const [id, around] of Object.entries(truth.parents)) {
      const parent = network.parent[item(network, id)];
      expect(parent < 0 ? null : network.ids[parent]).toBe(around);
    }
    for (const [id, inside] of Object.entries(truth.inside)) {
      expect(nodesOf(network, item(network, id)).map((node) => network.ids[node])).toEqual(inside);
    }
  });

  test("values come from and go to the same nodes", () => {
    for (const id of Object.keys(truth.ancestors)) {
      const node = item(network, id);
      expect(names(network, upstream(network, node))).toEqual([...truth.ancestors[id], id].sort());
      expect(names(network, downstream(network, node))).toEqual(
        [...truth.descendants[id], id].sort(),
      );
    }
  });

  test("shortest paths are as short, and paths", () => {
    const edges = new Set(
      Array.from(network.edges.source, (source, at) => `${source}>${network.edges.target[at]}`),
    );
    for (const [from, distances] of Object.entries(truth.distances)) {
      for (const to of Object.keys(truth.parents).filter((id) => id in truth.distances)) {
        const path = shortestPath(network, item(network, from), item(network, to));
        const length = distances[to] ?? truth.distances[to][from];
        expect(path.length).toBe(length === undefined ? 0 : length + 1);
        path.slice(1).forEach((node, at) => {
          expect(edges).toContain(`${path[at]}>${node}`);
        });
      }
    }
  });

  test("facts tell what enters, what is shared, what it costs", () => {
    for (const [id, entering] of Object.entries(truth.entering)) {
      const facts = network.facts(item(network, id));
      const from = facts.inputs.map((value) => network.ids[value.item]);
      expect([...from].sort()).toEqual(entering.map((value) => value.split(":")[0]).sort());
    }
    for (const [id, shared] of Object.entries(truth.shared)) {
      const facts = network.facts(item(network, id));
      expect(facts.shared.map((other) => network.ids[other]).sort()).toEqual(shared);
    }
    for (const [id, parameters] of Object.entries(truth.parameters)) {
      expect(network.quantities.parameters[item(network, id)]).toBe(parameters);
      expect(network.facts(item(network, id)).costs.parameters).toBe(parameters);
    }
    for (const [id, repeat] of Object.entries(truth.repeats)) {
      expect(network.repeat[item(network, id) - network.nodes]).toBe(repeat);
    }
  });
});

describe("a network as it is shown", () => {
  const [network] = networks;
  const captionOf = (id: string) => caption(network, item(network, id));

  test("captions tell op, name, shape and parameters", () => {
    expect(captionOf("stem")).toEqual({ title: "Conv2d 3×3/2", detail: "stem · 1×4×7×7 · 112" });
    expect(captionOf("x")).toEqual({ title: "x", detail: "1×3×16×16" });
    expect(captionOf("units.0.add")).toEqual({ title: "add", detail: "" });
    expect(captionOf("twice@1")).toEqual({
      title: "twice@1: Unit",
      detail: "1×4×7×7 · 148",
    });
    expect(captionOf("twice.conv@1").detail).toBe("conv@1 · 1×4×7×7 · 148");
    expect(captionOf("units")).toEqual({
      title: "units: Sequential",
      detail: "1×4×7×7 · 444",
    });
  });

  test("facts of a module split its settings, and say what was pruned and who calls it", () => {
    const facts = network.facts(item(network, "units.0.conv"));
    expect(facts.attributes).toEqual([
      ["config", "4, 4"],
      ["kernel_size", "(3, 3)"],
      ["stride", "(1, 1)"],
      ["padding", "(1, 1)"],
    ]);
    expect(facts.source?.[0]).toBe("ground_truth.py");
    expect(facts.parameters.map(({ fqn, shape }) => [fqn, shape])).toEqual([
      ["units.0.conv.weight", "4×4×3×3"],
      ["units.0.conv.bias", "4"],
    ]);
    expect(network.facts(item(network, "units.0.drop")).pruned).toEqual(["Identity"]);
    const twice = network.facts(item(network, "twice@1"));
    expect(twice.call).toBe(1);
    expect(twice.shared).toEqual([item(network, "twice")]);
    expect(network.quantities.calls[item(network, "twice")]).toBe(2);
    expect(network.quantities.calls[item(network, "stem")]).toBe(1);
  });

  test("a box is as wide as its text, and small without parameters", () => {
    const { width, height, specBytes } = outline(network);
    const stem = item(network, "stem");
    const add = item(network, "units.0.add");
    expect(width[stem]).toBeGreaterThan(width[add]);
    expect(height[stem]).toBeGreaterThan(height[add]);
    expect(specBytes[network.gives[stem]]).toBe(4 * 4 * 7 * 7);
  });

  test("a box has room for just its caption", () => {
    const room = (shown: Network): void => {
      const { width, height } = outline(shown);
      for (let at = 0; at < shown.nodes + shown.scopes; at++) {
        const { title, detail } = caption(shown, at);
        const small = isSmall(shown, at);
        const folded = at >= shown.nodes && shown.repeat[at - shown.nodes] > 1;
        const first = small
          ? textWidth(title, SMALL_SIZE) + 18
          : textWidth(title, TITLE_SIZE) * BOLD + (folded ? BADGE_WIDTH : 0) + 24;
        const text = Math.max(small ? 40 : 72, first, textWidth(detail, DETAIL_SIZE) + 24);
        expect(Math.abs(width[at] - text)).toBeLessThanOrEqual(1);
        expect(height[at] > SMALL_HEIGHT).toBe(!small);
        expect(height[at] === TALL_HEIGHT).toBe(detail !== "");
      }
    };
    for (const shown of networks) room(shown);
    fc.assert(fc.property(randomNetwork, (wire) => room(readNetwork(wire))));
  });
});

function isInside(network: Network, inner: Item, outer: Item): boolean {
  for (let at = inner; at >= 0; at = network.parent[at]) if (at === outer) return true;
  return false;
}

describe("any network", () => {
  test("has its items numbered so that what is inside can be told", () => {
    fc.assert(
      fc.property(randomNetwork, (wire) => {
        const network = readNetwork(wire);
        const items = network.nodes + network.scopes;
        expect([...network.order].sort((a, b) => a - b)).toEqual([...Array(items).keys()]);
        for (let inner = 0; inner < items; inner++) {
          for (let outer = network.nodes; outer < items; outer++) {
            const told =
              network.enter[outer] <= network.enter[inner] &&
              network.enter[inner] < network.leave[outer];
            expect(told).toBe(isInside(network, inner, outer));
          }
        }
      }),
    );
  });

  test("has its edges listed from both ends", () => {
    fc.assert(
      fc.property(randomNetwork, (wire) => {
        const { edges, outgoing, incoming, nodes } = readNetwork(wire);
        for (const [lists, ends] of [
          [outgoing, edges.source],
          [incoming, edges.target],
        ] as const) {
          for (let node = 0; node < nodes; node++) {
            const listed = [...lists.values.slice(lists.start[node], lists.start[node + 1])];
            expect(listed).toEqual([...ends.keys()].filter((edge) => ends[edge] === node));
          }
        }
      }),
    );
  });

  test("says of a scope what leaves it, if anything behind it takes something", () => {
    fc.assert(
      fc.property(randomNetwork, (wire) => {
        const network = readNetwork(wire);
        const { edges, enter, leave, nodes } = network;
        for (let scope = nodes; scope < nodes + network.scopes; scope++) {
          const leaving = [...edges.source.keys()].filter(
            (edge) =>
              isInside(network, edges.source[edge], scope) &&
              enter[edges.target[edge]] >= leave[scope],
          );
          const last = Math.max(...leaving.map((edge) => enter[edges.source[edge]]));
          const specs = leaving
            .filter((edge) => enter[edges.source[edge]] === last)
            .map((edge) => edges.spec[edge]);
          expect(specs.length === 0 ? [-1] : specs).toContain(network.gives[scope]);
        }
      }),
    );
  });

  test("lights a scope if and only if a node in it is lit", () => {
    fc.assert(
      fc.property(randomNetwork, fc.nat(), (wire, any) => {
        const network = readNetwork(wire);
        const from = any % (network.nodes + network.scopes);
        const marked = union(upstream(network, from), downstream(network, from));
        const lit = lift(network, marked);
        for (let at = 0; at < network.nodes + network.scopes; at++) {
          expect(lit.has(at)).toBe(nodesOf(network, at).some((node) => marked[node] === 1));
        }
        expect(lift(network, nodeSet(network, []), () => true).size).toBe(0);
      }),
    );
  });

  test("can be thousands of modules deep", () => {
    const wire = groundTruth().wire.networks[0];
    const deep = 20_000;
    const { scopes, nodes } = wire.topology;
    scopes.parent = Array.from({ length: deep }, (_, at) => at - 1);
    scopes.id = scopes.parent.map((_, at) => (at === 0 ? "" : `m${at}`));
    scopes.children = scopes.parent.map((_, at) => (at + 1 < deep ? [-2 - at] : []));
    scopes.children[deep - 1] = [...nodes.id.keys()];
    for (const name of ["fqn", "type", "config"] as const) scopes[name] = { all: "m" };
    scopes.call = { all: 0 };
    scopes.repeat = { all: 1 };
    nodes.scope = { all: deep - 1 };
    const costs = Object.entries(wire.scope_costs).map(([name]) => [name, Array(deep).fill(1)]);
    wire.scope_costs = Object.fromEntries(costs);
    const network = readNetwork(wire);
    expect(network.depth[0]).toBe(deep);
    expect(network.facts(network.root).parameters.length).toBeGreaterThan(5);
    expect(lift(network, upstream(network, 0)).size).toBe(deep + 1);
    expect(outline(network).width.length).toBe(network.nodes + deep);
  });
});

describe("what does not hold together", () => {
  const damage: [string, (wire: ReturnType<typeof groundTruth>["wire"]) => void, RegExp][] = [
    [
      "another schema",
      (w) => Object.assign(w, { schema: "visuai/wire@9" }),
      /got schema "visuai\/wire@9"/,
    ],
    ["no network", (w) => Object.assign(w, { networks: [] }), /one network or two/],
    ["no nodes", (w) => Object.assign(w.networks[0].topology, { nodes: null }), /lacks its nodes/],
    [
      "a short column",
      (w) => Object.assign(w.networks[0].topology.nodes, { op: { rows: [] } }),
      /"nodes.op" has 0 rows/,
    ],
    [
      "a missing column",
      (w) => Object.assign(w.networks[0].topology.nodes, { op: undefined }),
      /"nodes.op" is missing/,
    ],
    [
      "a table without the value",
      (w) =>
        Object.assign(w.networks[0].topology.nodes, {
          op: { of: [], at: w.networks[0].topology.nodes.id.map(() => 3) },
        }),
      /asks for value 3 of 0/,
    ],
    [
      "an edge from nowhere",
      (w) => w.networks[0].topology.edges.back.fill(99),
      /"edges.back", row 0: got 99/,
    ],
    [
      "an edge to nowhere",
      (w) => w.networks[0].topology.edges.target.fill(0.5),
      /"edges.target", row 0: got 0.5/,
    ],
    [
      "a parent that comes later",
      (w) => w.networks[0].topology.scopes.parent.fill(5, 1),
      /Scope 1 has parent 5/,
    ],
    [
      "a child listed twice",
      (w) => w.networks[0].topology.scopes.children[0].push(0),
      /lists child 0/,
    ],
    [
      "a child not listed",
      (w) => w.networks[0].topology.scopes.children[0].shift(),
      /not among the children/,
    ],
    [
      "a spec that is not there",
      (w) => w.networks[0].topology.edges.spec.fill(99),
      /"edges.spec", row 0: got 99/,
    ],
    [
      "no numbers",
      (w) => Object.assign(w.networks[0].node_costs, { flops: ["many"] }),
      /node_costs.flops/,
    ],
    [
      "a difference of another network",
      (w) => w.diff?.nodes.fill(999),
      /"diff.nodes", row 0: got 999/,
    ],
  ];
  test.each(damage)("%s is told of", (_name, harm, message) => {
    const { wire } = groundTruth();
    harm(wire);
    expect(() => readWire(wire)).toThrow(WireError);
    expect(() => readWire(wire)).toThrow(message);
  });
  test.each([null, 3, "x", [], {}])("%s is no document", (any) => {
    expect(() => readWire(any)).toThrow(/not what the viewer reads/);
  });
});

describe("text", () => {
  test("numbers are written as people do", () => {
    expect([0, 64, 9408, 11_689_512, 999_999, 999, 1e21].map(count)).toEqual([
      "0",
      "64",
      "9.41 k",
      "11.7 M",
      "1 M",
      "999",
      "1000 E",
    ]);
    expect(flops(3_640_000_000)).toBe("3.64 GFLOPs");
    expect(bytes(46_758_048)).toBe("46.8 MB");
    expect(bytes(12)).toBe("12 B");
    expect(exact(11_689_512)).toBe("11,689,512");
    expect([Number.NaN, Number.POSITIVE_INFINITY].map(count)).toEqual(["unknown", "∞"]);
  });

  test("what cannot be seen is spelled out", () => {
    expect(plain("a\nb\u202ec\u0000\ud800")).toBe("a\\nb\\u202ec\\u0000\\ud800");
    expect(plain("größe 模型 😀")).toBe("größe 模型 😀");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(plain(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(plain(plain(text))).toBe(plain(text));
      }),
    );
  });

  test("long names lose their middle, and no letter is cut in two", () => {
    expect(shorten("model.encoder.layer.11.attention.self.query", 20)).toBe("model.e…n.self.query");
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 4, max: 30 }),
        (text, limit) => {
          const short = shorten(text, limit);
          expect([...short].length).toBeLessThanOrEqual(limit);
          expect(short).not.toMatch(/\p{Cs}/u);
          if (text.length <= limit) expect(short).toBe(text);
        },
      ),
    );
  });
});
