import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item } from "../src/graph/network";
import type { RunAbout } from "../src/runs/answers";
import { readSeries } from "../src/runs/ask";
import { colourByValues } from "../src/runs/colour";
import { counts, floats } from "../src/runs/decode";
import { columnAt, columnOf, type Matrix, readMatrix } from "../src/runs/matrix";
import { MEASURES, type Measure, measuresOf, spell, spellNumber } from "../src/runs/measures";
import { joined, mainLine, wantsLog } from "../src/runs/overlay";
import { barsAt, distributionPixels, matrixPixels, withoutSmallest } from "../src/runs/pixels";
import { itemOf, placesOf, valuesByItem } from "../src/runs/places";
import { spanOf } from "../src/runs/span";
import { boxValues, extreme } from "../src/runs/stand_in";
import { columnNow, createRun } from "../src/runs/store";
import { type Sketch, sketched } from "./view_network";

const measure = (id: string) => MEASURES.find((one) => one.id === id) as Measure;
const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  steps: (rows[0] ?? []).map((_, at) => at * 10),
  subjects: rows.map((_, at) => `p${at}`),
  values: Float32Array.from(rows.flat()),
});

function base64(numbers: readonly number[], kind: "float32" | "uint32" = "float32"): string {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, at) => {
    if (kind === "float32") view.setFloat32(at * 4, number, true);
    else view.setUint32(at * 4, number, true);
  });
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

/** A network whose nodes read the parameters that their ids are mapped to. */
function reading(sketch: readonly Sketch[], read: Readonly<Record<string, readonly string[]>>) {
  const network = sketched(sketch);
  const words = {
    reads: (node: Item) => read[network.ids[node]] ?? [],
    fqn: (item: Item) => network.ids[item],
  };
  return { ...network, words: { ...network.words, ...words } };
}

function aboutOf(shapes: Readonly<Record<string, readonly number[]>>): RunAbout {
  const parameters = Object.entries(shapes).map(([fqn, shape]) => ({
    fqn,
    shape,
    module: fqn.split(".").slice(0, -1).join("."),
    dtype: "float32",
    quantities: ["weight", "gradient"],
  }));
  return {
    id: "1",
    model: "m",
    name: "n",
    parameters,
    modules: [],
    scalars: [],
    statistics: [],
    first_step: 0,
    last_step: 9,
    records: 10,
    live: false,
  };
}

describe("what is sent", () => {
  it("gives the numbers that were written, byte order and all", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: false })), (numbers) => {
        expect(Array.from(floats(base64(numbers)))).toEqual(numbers);
      }),
    );
    expect(Array.from(counts(base64([0, 1, 70_000], "uint32")))).toEqual([0, 1, 70_000]);
    expect(Array.from(floats("AACAPw=="))).toEqual([1]);
  });

  it("refuses a matrix whose values do not fit", () => {
    const answer = { steps: [0, 1], subjects: ["a"], values: base64([1, 2]) };
    expect(Array.from(readMatrix(answer).values)).toEqual([1, 2]);
    expect(() => readMatrix({ ...answer, steps: [0] })).toThrow(/2 values, expected 1/);
  });

  it("reads distributions of both kinds, and leaves out those that do not fit", () => {
    const series = (text: string, dtype?: "uint32") =>
      readSeries({
        steps: [0],
        statistics: {},
        histogram: { edges: [-1, 0, 1], counts: text, ...(dtype ? { dtype } : {}) },
      });
    expect(series(base64([3, 4])).distribution?.counts).toEqual(Float32Array.from([3, 4]));
    const whole = series(base64([3, 4], "uint32"), "uint32");
    expect(whole.distribution?.counts).toEqual(Float32Array.from([3, 4]));
    expect(series(base64([3])).distribution).toBeNull();
  });
});

describe("columns", () => {
  it("finds the last column that does not begin after a step", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1 }), fc.nat(600), (all, step) => {
        const steps = all.sort((a, b) => a - b);
        const slow = steps.reduce((best, one, at) => (one <= step ? at : best), 0);
        expect(columnOf(steps, step)).toBe(slow);
      }),
    );
  });

  it("gives all subjects at a step, NaN beyond the ends", () => {
    const matrix = matrixOf([
      [1, 2],
      [3, 4],
    ]);
    expect(Array.from(columnAt(matrix, 1))).toEqual([2, 4]);
    const growing = matrixOf([
      [1, Number.NaN],
      [3, 4],
    ]);
    expect(Array.from(columnAt(growing, 1))).toEqual([1, 4]);
    expect(Array.from(columnAt(matrix, 2))).toEqual([Number.NaN, Number.NaN]);
    expect(Array.from(columnAt(matrix, -1))).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("values of boxes", () => {
  const sketch: Sketch[] = [
    ["a", ["one", "two"]],
    ["b", ["three", ["c", ["four"]]]],
  ];
  const network = reading(sketch, {
    "a.one": ["a.w"],
    "a.two": ["tied"],
    "b.three": ["tied"],
    "b.c.four": ["b.c.w", "b.c.v"],
  });
  const about = aboutOf({ "a.w": [1], tied: [3], "b.c.w": [2], "b.c.v": [] });
  const subjects = about.parameters.map(({ fqn }) => fqn);
  const places = placesOf(network, about, "parameters", subjects);
  const at = (values: Float64Array, id: string) => values[network.find(id) as Item];

  it("combine norms, and count a shared weight once in what holds both of its readers", () => {
    const values = valuesByItem(network, places, [3, 4, 1, 2], "norm");
    expect(at(values, "a.one")).toBe(3);
    expect(at(values, "a")).toBe(5);
    expect(at(values, "b")).toBeCloseTo(Math.sqrt(16 + 1 + 4));
    expect(values[network.root]).toBeCloseTo(Math.sqrt(9 + 16 + 1 + 4));
    expect(at(values, "b.c.four")).toBeCloseTo(Math.sqrt(5));
  });

  it("weigh means by elements, and pass over what was not recorded", () => {
    const values = valuesByItem(network, places, [0, 1, Number.NaN, 0.5], "mean");
    expect(at(values, "a")).toBeCloseTo((0 * 1 + 1 * 3) / 4);
    expect(at(values, "b.c")).toBeCloseTo(0.5);
    const none = valuesByItem(network, places, [1, 1, Number.NaN, Number.NaN], "sum");
    expect(at(none, "b.c")).toBeNaN();
    expect(at(none, "b")).toBe(1);
  });

  it("are infinite around what is not finite, also where it is shared", () => {
    for (const combine of ["norm", "sum", "mean", "rms"] as const) {
      const values = valuesByItem(
        network,
        places,
        Array(4).fill(Number.POSITIVE_INFINITY),
        combine,
      );
      expect(values[network.root]).toBe(Number.POSITIVE_INFINITY);
      expect(at(values, "a")).toBe(Number.POSITIVE_INFINITY);
      expect(at(values, "b.c")).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it("find the module around a parameter that no node reads", () => {
    expect(itemOf(network, "b.c.gone.weight")).toBe(network.find("b.c"));
    expect(itemOf(network, "tied")).toBe(network.find("a.two"));
    expect(itemOf(network, "nowhere")).toBeNull();
    expect(itemOf(network, "")).toBeNull();
  });

  it("stand 5,000 modules deep", () => {
    let deep: Sketch = "leaf";
    const names: string[] = [];
    for (let level = 0; level < 5000; level += 1) {
      deep = ["m", [deep]];
      names.push("m");
    }
    const leaf = `${names.join(".")}.leaf`;
    const tall = reading([deep], { [leaf]: ["w"] });
    const one = aboutOf({ w: [2] });
    const values = valuesByItem(tall, placesOf(tall, one, "parameters", ["w"]), [7], "norm");
    expect(values[tall.root]).toBe(7);
    expect(new Set(values)).toEqual(new Set([7]));
  });
});

describe("colours", () => {
  const network = reading(["one", "two", "three"], { one: ["a"], two: ["b"], three: ["c"] });
  const norm = measure("gradient-norm");

  it("tell a dead gradient, one that was not recorded, and an infinite one apart", () => {
    const matrix = matrixOf([[1e-9], [1], [0]]);
    const scale = spanOf(matrix, norm);
    const values = Float64Array.from([0, Number.NaN, Number.POSITIVE_INFINITY, 1]);
    const { fill, legend } = colourByValues(network, values, norm, 7, scale, "light");
    const fills = [fill(0), fill(1), fill(2)];
    expect(new Set(fills).size).toBe(3);
    expect(legend.kind === "number" && fills[0] === legend.stops[0]).toBe(true);
    expect(legend.kind === "number" && fills[1] === legend.none).toBe(true);
    expect(legend.kind === "number" && fills[2] === legend.broken).toBe(true);
    expect(legend.kind === "number" && legend.title).toBe("Gradient: norm, step 7");
  });

  it("mean the same at all steps, and noise does not span all of them", () => {
    const wide = spanOf(matrixOf([[1e-8, 1]]), norm);
    expect(wide.place(1e-8)).toBeCloseTo(0);
    expect(wide.place(1e-4)).toBeCloseTo(0.5);
    expect(wide.place(1)).toBeCloseTo(1);
    const narrow = spanOf(matrixOf([[1, 1.1]]), norm);
    const [low, high] = [narrow.place(1) ?? 0, narrow.place(1.1) ?? 1];
    expect(high - low).toBeLessThan(0.05);
    const share = spanOf(matrixOf([[0.2, 0.3]]), measure("dead"));
    expect(share.place(0.5)).toBe(0.5);
    expect(share.place(0)).toBe(0);
  });

  it("are missing where nothing is", () => {
    expect(spanOf(matrixOf([]), norm).place(1)).toBeNull();
    expect(spanOf(matrixOf([[Number.NaN, 0]]), norm).high).toBe(0);
  });
});

describe("pictures", () => {
  it("leave what was not recorded clear, and brighten with the value", () => {
    const matrix = matrixOf([
      [1e-6, Number.NaN],
      [1, Number.POSITIVE_INFINITY],
    ]);
    const { data, width, height } = matrixPixels(matrix, spanOf(matrix, measure("gradient-norm")));
    expect([width, height]).toEqual([2, 2]);
    const brightness = (at: number) => data[at * 4] + data[at * 4 + 1] + data[at * 4 + 2];
    expect(data[1 * 4 + 3]).toBe(0);
    expect(brightness(2)).toBeGreaterThan(brightness(0));
    expect([...data.subarray(12, 16)]).toEqual([0xd7, 0x26, 0x3d, 255]);
  });

  it("put high values on top, and show steps by themselves", () => {
    const distribution = {
      edges: [-1, 0, 1, 2],
      counts: Float32Array.from([0, 0, 4, 9, 1, 0]),
      steps: 2,
    };
    const { data, width, height } = distributionPixels(distribution);
    expect([width, height]).toEqual([2, 3]);
    const clear = Array.from({ length: 6 }, (_, at) => data[at * 4 + 3] === 0);
    expect(clear).toEqual([false, true, true, false, true, false]);
    expect(barsAt(distribution, 0)).toEqual([0, 0, 1]);
    expect(barsAt(distribution, 1)[1]).toBeCloseTo(1 / 9);
    expect(barsAt(distribution, 2)).toEqual([]);
  });
});

describe("bins next to zero", () => {
  it("go to the zeros where they hold next to nothing, and no count is lost", () => {
    const distribution = {
      edges: [-8, -4, -2, -1, 1, 2, 4, 8],
      counts: Float32Array.from([500, 1, 0, 7, 1, 0, 500]),
      steps: 1,
    };
    const { edges, counts: kept } = withoutSmallest(distribution);
    expect(edges).toEqual([-8, -4, 4, 8]);
    expect(Array.from(kept)).toEqual([500, 9, 500]);
  });

  it("stay where they hold something, or where there is no zero", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { minLength: 14, maxLength: 14 }),
        fc.boolean(),
        (numbers, positive) => {
          const edges = positive ? [1, 2, 3, 4, 5, 6, 7, 8] : [-8, -4, -2, -1, 1, 2, 4, 8];
          const before = { edges, counts: Float32Array.from(numbers), steps: 2 };
          const after = withoutSmallest(before);
          const total = (counts: Float32Array) => counts.reduce((sum, one) => sum + one, 0);
          expect(total(after.counts)).toBe(total(before.counts));
          expect(after.counts.length).toBe((after.edges.length - 1) * 2);
          if (positive) expect(after).toEqual(before);
        },
      ),
    );
  });
});

describe("measures", () => {
  it("are those that there are records for", () => {
    const about = aboutOf({ w: [2] });
    const ids = measuresOf(about).map(({ id }) => id);
    expect(ids).toContain("gradient-norm");
    expect(ids).not.toContain("ratio");
    expect(ids).not.toContain("dead");
    const units = { ...about, modules: [{ fqn: "a", quantities: ["activation", "activity"] }] };
    expect(measuresOf(units).map(({ id }) => id)).toContain("dead");
    expect(measuresOf({ ...about, parameters: [] })).toEqual([]);
  });

  it("spell numbers as people read them", () => {
    expect(spellNumber(3.2e-7)).toBe("3.2e-7");
    expect(spellNumber(0)).toBe("0");
    expect(spellNumber(1.5e9)).toBe("1.5e9");
    expect(spellNumber(Number.POSITIVE_INFINITY)).toBe("∞");
    expect(spell(measure("gradient-norm"), Number.POSITIVE_INFINITY)).toBe("not finite");
    expect(spellNumber(null)).toBe("–");
    expect(spell(measure("dead"), 0.123)).toBe("12.3 %");
  });
});

describe("lines", () => {
  it("lie over each other by step", () => {
    const one = { steps: [0, 2], values: [1, null] };
    const other = { steps: [1, 2], values: [5, 6] };
    expect(joined([one, other, undefined])).toEqual([
      [0, 1, 2],
      [1, null, null],
      [null, 5, 6],
      [null, null, null],
    ]);
  });

  it("are of the loss, and of no learning rate", () => {
    const line = { steps: [], values: [] };
    expect(mainLine({ "learning rate": line, accuracy: line, loss: line })).toBe("loss");
    expect(mainLine({ "learning rate": line, train_loss: line })).toBe("train_loss");
    expect(mainLine({ "learning rate 1": line })).toBeNull();
  });

  it("go by a logarithm over decades of positive numbers only", () => {
    expect(wantsLog([[1, 100]])).toBe(true);
    expect(wantsLog([[1, 2, null]])).toBe(false);
    expect(wantsLog([[0, 100]])).toBe(false);
    expect(wantsLog([])).toBe(false);
  });
});

describe("time", () => {
  const run = createRun("api/", "x", { step: null, measure: null });
  run.store.setState({ matrix: matrixOf([[1, 2, 3, 4]]) });

  it("sticks to the end while it is there, and stays where it was put", () => {
    expect(columnNow(run.store.getState())).toBe(3);
    run.store.setState({ matrix: matrixOf([[1, 2, 3, 4, 5]]) });
    expect(columnNow(run.store.getState())).toBe(4);
    run.toStep(20);
    run.store.setState({ matrix: matrixOf([[1, 2, 3, 4, 5, 6]]) });
    expect(columnNow(run.store.getState())).toBe(2);
    run.move(100);
    expect(run.store.getState().step).toBeNull();
    run.move(-100);
    expect(columnNow(run.store.getState())).toBe(0);
  });

  it("begins anew when played from the end", () => {
    run.toColumn(5);
    run.play(true);
    expect(run.store.getState().playing).toBe(true);
    expect(columnNow(run.store.getState())).toBe(0);
    run.move(1);
    expect(run.store.getState().playing).toBe(false);
  });
});

describe("folded runs", () => {
  const norm = measure("gradient-norm");
  const dead = measure("dead");
  const network = sketched(["x", ["unit*3", [["part*2", ["conv"]], "add"]], ["head", ["conv"]]]);
  const find = (id: string) => network.find(id) as Item;
  const values = (said: Readonly<Record<string, number>>) => {
    const found = new Float64Array(network.order.length).fill(Number.NaN);
    for (const [id, value] of Object.entries(said)) found[find(id)] = value;
    return found;
  };
  const name = (from: Int32Array, id: string) => network.ids[from[find(id)]];

  it("take the repeat that is farthest from the middle one, and that which is broken first", () => {
    expect(extreme([1e-2, 2e-2, 1e-9, 3e-2], norm)).toBe(2);
    expect(extreme([1e-2, 2e-2, 1e6, 3e-2], norm)).toBe(2);
    expect(extreme([1e-3, 1e-1], norm)).toBe(0);
    expect(extreme([1e-3, 0, 1e-3], norm)).toBe(1);
    expect(extreme([1e-9, Number.POSITIVE_INFINITY, 1], norm)).toBe(1);
    expect(extreme([Number.NaN, 3, Number.NaN], norm)).toBe(1);
    expect(extreme([Number.NaN], norm)).toBe(-1);
    expect(extreme([0.1, 0.9, 0], dead)).toBe(1);
    expect(extreme([0, 7, 2], measure("nonfinite"))).toBe(1);
  });

  it("show one repeat in all of its boxes, and say which", () => {
    const said = values({
      unit0: 1,
      unit1: 1.1,
      unit2: 1e-8,
      "unit2.part0": 1e-8,
      "unit2.part1": 1e-4,
      "unit2.part0.conv": 5,
      "unit2.part1.conv": 6,
      "unit0.part0.conv": 7,
      head: 3,
    });
    const { values: shown, from, folded } = boxValues(network, said, new Set(), norm);
    expect(folded).toBe(4); // the units, and the parts in each of them
    expect(name(from, "unit0")).toBe("unit2");
    expect(shown[find("unit0")]).toBe(1e-8);
    expect(name(from, "unit0.add")).toBe("unit2.add");
    expect(name(from, "unit0.part0")).toBe("unit2.part0");
    expect(shown[find("unit0.part0.conv")]).toBe(5);
    expect(shown[find("head")]).toBe(3);
    expect(said[find("unit0")]).toBe(1);
  });

  it("show each as it is once they are unfolded", () => {
    const said = values({ unit0: 1, unit1: 2, unit2: 1e-8 });
    const every = new Set(network.order.filter((item) => item >= network.nodes));
    const { values: shown, from, folded } = boxValues(network, said, every, norm);
    expect(folded).toBe(0);
    expect(shown).toBe(said);
    expect([...from]).toEqual([...network.order.keys()]);
  });
});
