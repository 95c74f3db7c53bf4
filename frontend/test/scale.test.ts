import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CATEGORIES } from "../src/graph/network";
import { readWire } from "../src/graph/read";
import { colourByCategory, colourByQuantity } from "../src/scale/colouring";
import { numberScale } from "../src/scale/numbers";
import { categoryTints, RAMPS, rampColour } from "../src/scale/palette";
import { contrast, luminance } from "../src/scene/colour";
import { groundTruth } from "./truth";

const [network] = readWire(groundTruth().wire).networks;
const grounds = ["light", "dark"] as const;
const positive = fc.array(fc.double({ min: 1e-3, max: 1e15, noNaN: true }), { minLength: 1 });

describe("a scale of numbers", () => {
  test("keeps the order, from 0 to 1, with ticks where their numbers are", () => {
    fc.assert(
      fc.property(positive, (values) => {
        const scale = numberScale(values);
        const places = [...values].sort((a, b) => a - b).map(scale.place) as number[];
        for (const [at, place] of places.entries()) {
          expect(place).toBeGreaterThanOrEqual(at === 0 ? 0 : places[at - 1]);
          expect(place).toBeLessThanOrEqual(1);
        }
        expect(places[places.length - 1]).toBeCloseTo(1, 9);
        expect(scale.ticks.length).toBeLessThanOrEqual(6);
        for (const { value, place } of scale.ticks) {
          expect(place).toBeCloseTo(scale.place(value) as number, 9);
        }
      }),
    );
  });

  test("is logarithmic where the range asks for it, and starts at 0 where not", () => {
    expect(numberScale([10, 20, 40])).toMatchObject({ log: false, low: 0, high: 40 });
    expect(numberScale([10, 20, 40]).ticks.map(({ value }) => value)).toEqual([0, 10, 20, 30, 40]);
    const wide = numberScale([0, 64, 1e6]);
    expect(wide).toMatchObject({ log: true, low: 64, high: 1e6 });
    expect(wide.ticks.map(({ value }) => value)).toEqual([100, 1e3, 1e4, 1e5, 1e6]);
    expect(wide.place(0)).toBeNull();
    expect(wide.place(8000)).toBeCloseTo(0.5, 9); // the geometric mean
  });

  test("of nothing has no places", () => {
    for (const values of [[], [0, 0], [Number.NaN, Number.POSITIVE_INFINITY]]) {
      expect(numberScale(values).ticks).toEqual([]);
      expect(numberScale(values).place(3)).toBeNull();
    }
  });
});

describe.each(grounds)("colours on %s ground", (ground) => {
  const text = ground === "light" ? 0x1b1f24 : 0xeef1f4;

  test("of categories can be read on, and their lines seen", () => {
    for (const [at, { fill, line }] of categoryTints(ground).entries()) {
      expect([CATEGORIES[at], contrast(fill, text)][1]).toBeGreaterThan(4.5);
      expect(contrast(line, fill)).toBeGreaterThan(1.3);
    }
  });

  test("of categories are those that are there", () => {
    const { fill, legend } = colourByCategory(network, ground);
    if (legend.kind !== "category") throw new Error("wrong legend");
    const there = legend.entries.map(({ category }) => category);
    expect(there).toEqual([
      "io",
      "conv",
      "linear",
      "activation",
      "dropout",
      "arithmetic",
      "reduce",
      "module",
    ]);
    const conv = legend.entries.find(({ category }) => category === "conv");
    expect(conv?.nodes).toBe(6);
    expect(fill(network.find("stem") as number)).toBe(conv?.fill);
  });

  test("of numbers grow brighter, and what has none stands apart", () => {
    const { fill, legend } = colourByQuantity(network, "parameters", ground);
    if (legend.kind !== "number") throw new Error("wrong legend");
    const at = (id: string) => fill(network.find(id) as number);
    expect(luminance(at("stem"))).toBeLessThan(luminance(at("units")));
    expect(at("units.0.add")).toBe(legend.none);
    expect(at("units.0.conv")).toBe(at("units.1.conv"));
    expect([legend.low, legend.high]).toEqual(["0", "444"]);
  });
});

test("ramps rise evenly in brightness", () => {
  for (const ramp of Object.values(RAMPS)) {
    const steps = [...Array(50).keys()].map((at) => luminance(rampColour(ramp, at / 49)));
    steps.slice(1).forEach((one, at) => {
      expect(one).toBeGreaterThan(steps[at] - 1e-3);
    });
    expect(rampColour(ramp, -1)).toBe(ramp[0]);
    expect(rampColour(ramp, 2)).toBe(ramp[ramp.length - 1]);
  }
});
