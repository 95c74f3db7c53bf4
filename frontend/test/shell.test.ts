import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item } from "../src/graph/network";
import type { Picture } from "../src/layout/picture";
import { BINDINGS } from "../src/shell/keys";
import { rowName, rowsOf } from "../src/shell/rows";
import { fileName, screenJson } from "../src/shell/screen";
import { fromBytes, LoadError } from "../src/shell/source";
import { nearest } from "../src/shell/step";
import { linkViews } from "../src/shell/tandem";
import { createView } from "../src/view/store";
import { sketched } from "./view_network";

const network = sketched([
  "x",
  ["stem", ["conv", "norm"]],
  ["stage*3", [["part", ["conv"]], "add"]],
  "output",
]);
const find = (id: string) => network.find(id) as Item;

describe("outline", () => {
  it("lists what is visible, with names as seen from the module around", () => {
    const open = new Set([network.root, find("stage0"), find("stage0.part")]);
    const rows = rowsOf(network, { open, unfolded: new Set() });
    const named = [...rows.items].map((item) => rowName(network, item));
    expect(named).toEqual(["x", "stem", "stage0", "part", "conv", "add", "output"]);
    expect([...rows.levels]).toEqual([1, 1, 1, 2, 3, 2, 1]);
    rows.rowOf.forEach((row, item) => {
      expect(row).toBe(rows.items.indexOf(item));
    });
  });
});

/** A picture of boxes that stand at given places, 10 by 10 each. */
function placed(places: readonly (readonly [number, number])[]): Picture {
  const count = places.length;
  return {
    boxes: {
      item: Int32Array.from(places, (_, at) => at),
      x: Float64Array.from(places, ([x]) => x),
      y: Float64Array.from(places, ([, y]) => y),
      width: new Float32Array(count).fill(10),
      height: new Float32Array(count).fill(10),
      depth: new Int32Array(count).fill(1),
      open: new Uint8Array(count),
      repeat: new Int32Array(count).fill(1),
    },
    boxOf: Int32Array.from(places, (_, at) => at),
  } as unknown as Picture;
}

describe("arrow keys", () => {
  const middle = { x: 0, y: 0, zoom: 1 };

  it("go to what lies ahead, and rather straight than near", () => {
    const picture = placed([
      [0, 0],
      [60, 30],
      [0, 60],
      [60, 0],
    ]);
    expect(nearest(picture, 0, "down", middle)).toBe(2);
    expect(nearest(picture, 0, "right", middle)).toBe(3);
    expect(nearest(picture, 0, "up", middle)).toBeNull();
    expect(nearest(picture, 2, "up", middle)).toBe(0);
  });

  it("start in the middle of the view", () => {
    const picture = placed([
      [500, 500],
      [90, 90],
    ]);
    expect(nearest(picture, null, "up", { x: 100, y: 100, zoom: 1 })).toBe(1);
  });

  it("never stay where they are, and get everywhere in a grid", () => {
    const picture = placed(
      Array.from({ length: 25 }, (_, at) => [(at % 5) * 40, Math.floor(at / 5) * 40] as const),
    );
    const seen = new Set([0]);
    const todo = [0];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      for (const way of ["up", "down", "left", "right"] as const) {
        const to = nearest(picture, at, way, middle);
        expect(to).not.toBe(at);
        if (to === null || seen.has(to)) continue;
        seen.add(to);
        todo.push(to);
      }
    }
    expect(seen.size).toBe(25);
  });
});

describe("keys", () => {
  it("are each bound once", () => {
    const keys = BINDINGS.flatMap((one) => one.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("source", () => {
  const quiet = () => undefined;
  const wire = { schema: "visuai/wire@1", version: "", networks: [{}], diff: null };
  const zipped = (text: string) => new Uint8Array(gzipSync(text));

  it("unpacks bytes and base64", async () => {
    const bytes = zipped(JSON.stringify(wire));
    expect(await fromBytes({ kind: "bytes", bytes }, quiet)).toEqual(wire);
    const text = `\n${Buffer.from(bytes).toString("base64")}\n`;
    expect(await fromBytes({ kind: "base64", text }, quiet)).toEqual(wire);
  });

  it("says what is wrong with what it cannot read", async () => {
    const fails = async (bytes: Uint8Array) => {
      const error = await fromBytes({ kind: "bytes", bytes }, quiet).catch((one: Error) => one);
      expect(error).toBeInstanceOf(LoadError);
      expect((error as LoadError).advice).not.toBe("");
      return (error as Error).message;
    };
    expect(await fails(new Uint8Array())).toContain("damaged");
    expect(await fails(Uint8Array.of(1, 2, 3))).toContain("damaged");
    expect(await fails(zipped(JSON.stringify(wire)).slice(0, 30))).toContain("damaged");
    expect(await fails(zipped("{"))).toContain("cannot be read");
    expect(await fails(zipped('{"schema":"visuai/wire@9"}'))).toContain('"visuai/wire@9"');
    expect(await fails(zipped("null"))).toContain("null");
    const base64 = fromBytes({ kind: "base64", text: "%" }, quiet);
    await expect(base64).rejects.toThrow("base64");
  });
});

describe("files", () => {
  it("have names that every system takes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (name) => {
        expect(fileName(name, "svg")).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,79}\.svg$/);
      }),
    );
    expect(fileName("../../etc/passwd", "json")).toBe("etc-passwd.json");
    expect(fileName("‮", "png")).toBe("network.png");
  });

  it("tell what is on screen", () => {
    const view = createView(
      {
        ...network,
        specs: [{ dtype: "float32", shape: [1, 3], bytes: 12, text: "1×3" }],
        gives: new Int32Array(network.ids.length).fill(0),
        edges: { spec: Int32Array.of(0) },
        quantities: { parameters: [0], flops: [], activation_bytes: [] },
        words: { type: () => "T", opKind: () => "placeholder", settings: () => "", fqn: () => "" },
      } as unknown as typeof network,
      { selected: 0 },
    );
    const picture = {
      ...placed([[5, 6]]),
      width: 20,
      height: 30,
      wires: { source: [0], target: [network.root], values: [2], edge: [0], bytes: [12] },
    } as unknown as Picture;
    const told = JSON.parse(screenJson(view, picture));
    expect(told.schema).toBe("visuai/screen@1");
    expect(told.selected).toBe("x");
    expect(told.boxes).toHaveLength(1);
    expect(told.boxes[0]).toMatchObject({ id: "x", kind: "node", x: 5, y: 6, shape: [1, 3] });
    expect(told.wires[0]).toMatchObject({ source: "x", target: "", values: 2, dtype: "float32" });
  });
});

describe("tandem", () => {
  const other = sketched([
    "x",
    ["stem", ["conv"]],
    ["stage*2", [["part", ["conv"]]]],
    ["more", ["conv"]],
  ]);
  const forth = Int32Array.from(network.ids, (id) => other.find(id) ?? -1);
  const back = Int32Array.from(other.ids, (id) => network.find(id) ?? -1);

  it("opens, unfolds and selects what both have, and leaves alone what one has", () => {
    const one = createView(network, { open: new Set([network.root]) });
    const two = createView(other, { open: new Set([other.root]) });
    const end = linkViews([one, two], [forth, back]);
    const there = (id: string) => other.find(id) as Item;
    two.actions.toggle(there("more"));
    expect(one.store.getState().open.size).toBe(1);
    one.actions.toggle(find("stem"));
    one.actions.unfold(find("stage1"));
    one.actions.select(find("stem.conv"));
    const state = two.store.getState();
    expect([...state.open].sort()).toEqual([other.root, there("stem"), there("more")].sort());
    expect([...state.unfolded]).toEqual([there("stage0")]);
    expect(state.selected).toBe(there("stem.conv"));
    one.actions.select(find("stem.norm"));
    expect(two.store.getState().selected).toBeNull();
    two.actions.closeAll();
    expect(one.store.getState().open.has(find("stem"))).toBe(false);
    one.actions.trace("upstream", find("x"));
    expect(two.store.getState().trace).toEqual({ kind: "upstream", from: there("x") });
    end();
    one.actions.toggle(find("stem"));
    expect(two.store.getState().open.has(there("stem"))).toBe(false);
  });

  it("has the same steps on both sides, each with its own places", () => {
    const one = createView(network, { open: new Set([network.root]) });
    const two = createView(other, { open: new Set([other.root]) });
    const end = linkViews([one, two], [forth, back]);
    const there = (id: string) => other.find(id) as Item;
    one.actions.toggle(find("stem"));
    two.actions.toggle(there("more"));
    two.actions.select(there("stem"));
    for (const { store } of [one, two]) expect(store.getState()).toMatchObject({ at: 3, steps: 3 });
    one.actions.back();
    expect(two.store.getState().selected).toBeNull();
    expect(two.store.getState().open.has(there("more"))).toBe(true);
    one.actions.back();
    expect(two.store.getState().open.has(there("more"))).toBe(false);
    two.actions.travel(2);
    expect(one.store.getState().selected).toBe(find("stem"));
    expect(two.store.getState().open.has(there("more"))).toBe(true);
    two.actions.travel(-3);
    expect([...one.store.getState().open]).toEqual([network.root]);
    expect(one.store.getState().at).toBe(0);
    end();
  });
});

function withoutBrackets(selector: string): string {
  const inner = selector.replace(/\([^()]*\)/g, "");
  return inner === selector ? inner : withoutBrackets(inner);
}

describe("style", () => {
  it("touches nothing outside of the viewer", () => {
    const folder = new URL("../src/shell/style/", import.meta.url);
    for (const name of ["base", "bench", "lists", "panel", "overlay", "start", "media"]) {
      const css = readFileSync(new URL(`${name}.css`, folder), "utf8").replace(/\/\*.*?\*\//gs, "");
      for (const [, selector] of css.matchAll(/(?:^|[{};])\s*([^{};@]+)\{/g)) {
        const outside = withoutBrackets(selector)
          .split(",")
          .map((one) => one.trim())
          .filter((one) => !one.startsWith(".visuai") && !/^(from|to|\d+%)$/.test(one))
          .filter((one) => one !== "html:has");
        expect(outside).toEqual([]);
      }
    }
  });
});
