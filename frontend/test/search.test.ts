import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readNetwork, readWire } from "../src/graph/read";
import { prepare } from "../src/search/haystack";
import { compile } from "../src/search/pattern";
import { parse } from "../src/search/query";
import { createSearch, type Found, searchNow, toEnd } from "../src/search/search";
import { randomNetwork } from "./random_network";
import { groundTruth } from "./truth";

const [network] = readWire(groundTruth().wire).networks;
const haystack = toEnd(prepare(network));

function idsOf(found: Found | null): string[] {
  return (found?.items ?? []).map((item) => network.ids[item]);
}

const find = (text: string): string[] => idsOf(searchNow(haystack, text));

describe("a search", () => {
  test("finds names, classes, shapes and attributes, the best first", () => {
    expect(find("units")[0]).toBe("units");
    expect(find("conv").slice(0, 5)).toEqual([
      "twice.conv", // Whole names, what lies higher first,
      "units.0.conv",
      "units.1.conv",
      "units.2.conv",
      "twice.conv@1", // then parts of names, all before the class of the stem.
    ]);
    expect(find("conv")).toContain("stem");
    expect(find("kernel_size=\\(3, 3\\), stride=\\(2")).toEqual(["stem"]);
    expect(find("1×3×16")).toEqual(["x"]);
    expect(find("^units\\.\\d$")).toEqual(["units.0", "units.1", "units.2"]);
    expect(find("no such thing")).toEqual([]);
    expect(find("  ")).toEqual([]);
  });

  test("minds capitals only where there are some", () => {
    expect(find("CONV")).toEqual([]);
    expect(find("Conv2d")).toContain("stem");
    expect(find("conv2d")).toContain("stem");
    expect(find("\\S+\\.CONV")).toEqual([]);
    expect(find("\\Wconv")).toContain("units.0.conv");
  });

  test("takes an invalid pattern as text, and says so", () => {
    const found = searchNow(haystack, "(conv");
    expect(found.note).toMatch(/not a valid pattern/);
    expect(found.items).toEqual([]);
    expect(searchNow(haystack, "size=(3").items.length).toBeGreaterThan(0);
  });

  test("tells where it was found", () => {
    const [hit] = searchNow(haystack, "units\\.0").hits;
    expect(hit.place).toBe("path");
    expect(hit.text.slice(hit.start, hit.end)).toBe("units.0");
    const stem = searchNow(haystack, "Conv2d").hits.find(
      ({ item }) => network.ids[item] === "stem",
    );
    expect(stem?.place).toBe("class");
    const size = searchNow(haystack, "padding=\\(1").hits[0];
    expect([size.place, size.text.slice(size.start, size.end)]).toEqual([
      "attribute",
      "padding=(1",
    ]);
  });

  test("keeps to the limit, and counts all", () => {
    const found = searchNow(haystack, ".", 3);
    expect(found.hits.length).toBe(3);
    expect(found.items.length).toBe(network.nodes + network.scopes);
  });

  test("keeps to conditions", () => {
    expect(find("class:Conv2d shape:4 params:>112")).toEqual([
      "twice.conv",
      "twice.conv@1",
      "units.0.conv",
      "units.1.conv",
      "units.2.conv",
    ]);
    expect(find("op:^mean$")).toEqual(["mean"]);
    expect(find("shape:3x16x16")).toEqual(["x"]);
    expect(find("shape:1,?,16")).toEqual(["x"]);
    expect(find("shape:16x3")).toEqual([]);
    expect(find("params:112")).toEqual(["stem"]);
    expect(find("params:0.4k..0.5k")).toEqual(["units"]);
    expect(find("calls:2 class:Unit")).toEqual(["twice", "twice@1"]);
    expect(find("category:dropout name:twice")).toEqual(["twice.drop", "twice.drop@1"]);
    expect(find('class:"Unit" twice')).toEqual(["twice", "twice@1"]);
    expect(find("weird:thing")).toEqual([]);
  });

  test("finds what a look at every text finds", () => {
    const words = fc.constantFrom("conv", "Conv", "drop", "1×4", "units", "e", "\\d", "^t", "k$");
    fc.assert(
      fc.property(words, (word) => {
        const regex = new RegExp(word, /[A-Z]/.test(word.replace(/\\./g, "")) ? "" : "i");
        const wanted = network.ids.filter((id, item) => {
          const { opKind, type, settings } = network.words;
          const texts = [id, network.label(item), settings(item)];
          if (opKind(item) !== "placeholder") texts.push(type(item));
          texts.push(network.specs[network.gives[item]]?.text ?? "");
          return texts.some((text) => regex.test(text));
        });
        expect(find(word).sort()).toEqual(wanted.sort());
      }),
    );
  });

  test("finds any item of any network by its whole id", () => {
    fc.assert(
      fc.property(randomNetwork, fc.nat(), (wire, any) => {
        const random = readNetwork(wire);
        const made = toEnd(prepare(random));
        const item = any % random.nodes;
        const escaped = made.ids[item].replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").trim();
        const found = searchNow(
          made,
          `^\\s*${escaped.replaceAll(":", "\\x3a").replace(/\s/g, "\\s")}$`,
        );
        expect(found.items).toContain(item);
      }),
    );
  });
});

describe("a search in slices", () => {
  test("finds the same, and gives way to a newer one", async () => {
    const search = createSearch(network, { slice: 0 });
    const first = search.find("conv");
    const second = search.find("drop");
    expect(await first).toBeNull();
    expect(idsOf(await second)).toEqual(find("drop"));
    expect(idsOf(await search.find("conv"))).toEqual(find("conv"));
  });

  test("ends when its time is up, and says so", async () => {
    const search = createSearch(readNetwork(manyNodes()), { slice: 0, budget: 0 });
    const found = await search.find("n");
    expect(found?.note).toMatch(/took too long/);
  });
});

/** A network of one scope with more nodes than are looked at in one slice. */
function manyNodes() {
  const count = 2000;
  const [made] = fc.sample(randomNetwork, { numRuns: 1, seed: 1 });
  const { topology } = made;
  const rows = [...Array(count).keys()];
  topology.nodes.id = rows.map((at) => `n${at}`);
  topology.nodes.op = { all: "add" };
  topology.nodes.category = { all: "arithmetic" };
  topology.nodes.scope = { all: 0 };
  topology.nodes.outputs = { all: [] };
  topology.outputs = [0];
  const empty = { rows: [] };
  topology.edges = { target: [], back: [], spec: [], source_output: empty, target_input: empty };
  const { scopes } = topology;
  scopes.children = scopes.children.map((children, at) => [
    ...children.filter((code) => code < 0),
    ...(at === 0 ? rows : []),
  ]);
  for (const column of Object.values(made.node_costs)) {
    column.splice(0, column.length, ...rows.map(() => 0));
  }
  return made;
}

describe("a pattern", () => {
  const hostile = [
    "(a+)+$",
    "(a*)*b",
    "(a|a)*b",
    "(a|aa)+$",
    "((a+)b?)*c",
    "(?:a+){20}b",
    "(.*a){12}",
    "(\\w+\\s?)*!",
    "([a-z]+)*\\1",
    "a*a*a*a*a*a*b",
  ];
  test.each(hostile)("%s, which could run for ever, is taken as text", (source) => {
    const { regex, note, longest } = compile(source);
    expect(note).toMatch(/forever/);
    expect(regex.test("a".repeat(longest))).toBe(false);
    expect(regex.test(`x${source}y`)).toBe(true);
  });

  test.each(["a*a*a*a*b", ".*.*.*x", "(a+)(a+)(a+)b", "[a-z]*.*b", "a{1,50}a{1,50}b"])(
    "%s, which is slow on long texts, is run on short ones",
    (source) => {
      const { regex, note, longest } = compile(source);
      expect(note).toBeNull();
      // Ends: a longer text would take minutes.
      expect(regex.test("a".repeat(Math.min(longest, 4000)))).toBe(false);
    },
  );

  test.each([
    "layer.*conv",
    "(layer1|layer2)\\.0",
    "conv\\d+",
    "(\\.\\d)?$",
    "[(*+]",
    "\\(a+\\)+",
    "(?:ab)+",
    "(?<=l)ayer",
    "a{3}",
    "x[^\\]]+]",
  ])("%s, which is harmless, is a pattern", (source) => {
    expect(compile(source).note).toBeNull();
    expect(compile(source).regex.source).toBe(new RegExp(source).source);
  });

  test("whatever is typed, something is run and ends", () => {
    const letters = fc.constantFrom(..."ab.*+?()[]{}|\\^$1,2:=!<");
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 14 }), (typed) => {
        const { regex, longest } = compile(typed.join(""));
        regex.test("ab".repeat(Math.min(longest, 60) / 2));
        parse(typed.join(""));
      }),
      { numRuns: 2000 },
    );
  });
});
