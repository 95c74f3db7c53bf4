import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Comparison, compare, MARKS } from "../src/graph/merge";
import type { Item, Network } from "../src/graph/network";
import { readNetwork, readWire } from "../src/graph/read";
import type { WireDiff } from "../src/wire";
import { randomNetwork } from "./random_network";
import { groundTruth } from "./truth";

function markOf({ merged, marks }: Comparison, id: string): string[] {
  return [...merged.ids.keys()].filter((at) => merged.ids[at] === id).map((at) => MARKS[marks[at]]);
}

describe("a network and a changed one", () => {
  const { wire } = groundTruth();
  const { networks, diff } = readWire(wire);
  const found = compare(networks[0], networks[1], diff as WireDiff);
  const { merged } = found;

  test("what was added, removed, changed and renamed is marked", () => {
    expect(markOf(found, "stem")).toEqual(["none"]);
    expect(markOf(found, "extra")).toEqual(["added"]);
    expect(markOf(found, "extra.0")).toEqual(["added"]);
    expect(markOf(found, "twice@1")).toEqual(["removed"]);
    expect(markOf(found, "twice.conv@1")).toEqual(["removed"]);
    expect(markOf(found, "units.1.conv")).toEqual(["changed"]);
    expect(markOf(found, "other")).toEqual(["renamed"]);
    expect(markOf(found, "head")).toEqual([]);
    expect(markOf(found, "mean").sort()).toEqual(["added", "removed"]);
  });

  test("details tell what differs", () => {
    const conv = merged.find("units.1.conv") as Item;
    const details = found.details.get(conv) ?? [];
    expect(details.map(({ what, kind }) => `${what} ${kind}`)).toEqual([
      "node changed",
      "parameter changed",
    ]);
    expect(details[0].rows[0][1]).toContain("kernel_size=(3, 3)");
    expect(details[0].rows[0][2]).toContain("kernel_size=(5, 5)");
    expect(details[1].rows).toEqual([["shape", "4×4×3×3", "4×4×5×5"]]);
    const other = found.details.get(merged.find("other") as Item) ?? [];
    expect(other).toEqual([
      { what: "node", kind: "renamed", before: "head", after: "other", rows: [] },
    ]);
  });

  test("a closed module tells how much is different in it", () => {
    const inside = (id: string) => found.marksInside[merged.find(id) as Item];
    expect(inside("units")).toBe(1);
    expect(inside("units.0")).toBe(0);
    expect(inside("twice@1")).toBe(4);
    expect(found.marksInside[merged.root]).toBe(found.marks.filter((mark) => mark > 0).length - 1);
  });

  test("a run with a difference in it is not folded", () => {
    const repeat = (id: string) => merged.repeat[(merged.find(id) as Item) - merged.nodes];
    expect(["units.0", "units.1", "units.2"].map(repeat)).toEqual([1, 1, 1]);
  });

  test("facts name items of the merged network", () => {
    const removed = merged.find("twice.conv@1") as Item;
    const facts = merged.facts(removed);
    expect(facts.inputs.map(({ item }) => merged.ids[item])).toEqual(["twice.add"]);
    expect(facts.outputs.map(({ item }) => merged.ids[item])).toEqual(["twice.drop@1"]);
  });

  test("with itself, nothing is marked and runs stay folded", () => {
    const [one] = networks;
    const same: WireDiff = {
      changes: [],
      nodes: [...Array(one.nodes).keys()],
      scopes: [...Array(one.scopes).keys()],
    };
    const still = compare(one, one, same);
    expect(still.marks.every((mark) => mark === 0)).toBe(true);
    expect(still.edgeMarks.every((mark) => mark === 0)).toBe(true);
    // Items are numbered anew, in preorder, which is the order of these ids too.
    expect(new Set(still.merged.ids)).toEqual(new Set(one.ids));
    const repeats = (network: Network) =>
      Object.fromEntries(
        Array.from(network.repeat, (times, scope) => [network.ids[network.nodes + scope], times]),
      );
    expect(repeats(still.merged)).toEqual(repeats(one));
  });
});

/** Matches that a difference could have: one to one, nodes with nodes, root with root. */
function matching(a: Network, b: Network, picks: readonly number[]): WireDiff {
  const pairs = (from: number, to: number, first: number): number[] => {
    const free = [...Array(to).keys()];
    return Array.from({ length: from }, (_, at) => {
      const pick = picks[(first + at) % picks.length];
      return pick % 3 === 0 || free.length === 0 ? -1 : free.splice(pick % free.length, 1)[0];
    });
  };
  const scopes = pairs(a.scopes - 1, b.scopes - 1, 1).map((to) => (to < 0 ? -1 : to + 1));
  return { changes: [], nodes: pairs(a.nodes, b.nodes, 5), scopes: [0, ...scopes] };
}

test("any two networks, however they match, are both in the merged one", () => {
  const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(randomNetwork, randomNetwork, picks, (one, other, picked) => {
      const [a, b] = [readNetwork(one), readNetwork(other)];
      const found = compare(a, b, matching(a, b, picked));
      const { merged, fromBefore, fromAfter, inBefore, inAfter, forward } = found;
      const items = merged.nodes + merged.scopes;

      // Every item has one place, and what matches has the same.
      expect(new Set([...fromBefore, ...fromAfter])).toEqual(new Set(Array(items).keys()));
      fromBefore.forEach((place, at) => {
        expect(inBefore[place]).toBe(at);
        if (forward[at] >= 0) expect(fromAfter[forward[at]]).toBe(place);
        expect(place < merged.nodes).toBe(at < a.nodes);
      });
      fromAfter.forEach((place, at) => {
        expect(inAfter[place]).toBe(at);
        if (at !== b.root) expect(merged.parent[place]).toBe(fromAfter[b.parent[at]]);
      });

      // It is one tree.
      expect([...merged.order].sort((x, y) => x - y)).toEqual([...Array(items).keys()]);

      // Edges: all of the second, and those of the first that are not among them.
      const told = (network: Network, places: Int32Array | null, edge: number): string => {
        const { source, target, output, input } = network.edges;
        const [from, to] = [source[edge], target[edge]].map((end) => places?.[end] ?? end);
        return `${from}:${output[edge]}>${to}:${input[edge]}`;
      };
      const all = (network: Network, places: Int32Array | null): string[] =>
        Array.from(network.edges.source, (_, edge) => told(network, places, edge));
      const [before, after] = [new Set(all(a, fromBefore)), new Set(all(b, fromAfter))];
      all(merged, null).forEach((edge, at) => {
        const mark = MARKS[found.edgeMarks[at]];
        expect(mark).toBe(!after.has(edge) ? "removed" : before.has(edge) ? "none" : "added");
      });
      expect(new Set(all(merged, null))).toEqual(new Set([...before, ...after]));
    }),
  );
});
