/** Colours of boxes by a measure at one step of a run. */

import type { Item, Network } from "../graph/network";
import type { Colouring } from "../scale/colouring";
import type { NumberScale } from "../scale/numbers";
import { type Ground, noneTint, RAMPS, rampTint, type Tint } from "../scale/palette";
import { type Measure, spell } from "./measures";

const STEPS = 64; // Finer than the eye tells.
/** Infinite, or not a number where one was recorded: it must not be overlooked. */
export const BROKEN: Tint = { fill: 0xd7263d, line: 0x8c1425 };

/** Tints of the ramp from low to high. */
export function tintsOf(ground: Ground): Tint[] {
  return Array.from({ length: STEPS }, (_, at) =>
    rampTint(RAMPS.viridis, at / (STEPS - 1), ground),
  );
}

/** Colours the items of a network by their values at a step. */
export function colourByValues(
  network: Network,
  values: Float64Array,
  measure: Measure,
  step: number,
  scale: NumberScale,
  ground: Ground,
): Colouring {
  const tints = tintsOf(ground);
  const none = noneTint(ground);
  const tint = (item: Item): Tint => {
    const value = values[item];
    if (value === Number.POSITIVE_INFINITY) return BROKEN;
    const place = Number.isNaN(value) ? null : scale.place(value);
    return place === null ? none : tints[Math.round(place * (STEPS - 1))];
  };
  return {
    fill: (item) => (item === network.root ? none.fill : tint(item).fill),
    line: (item) => (item === network.root ? none.line : tint(item).line),
    legend: {
      kind: "number",
      title: `${measure.title}, step ${step}`,
      log: scale.log,
      stops: tints.map(({ fill }) => fill),
      ticks: scale.ticks.map(({ value, place }) => ({
        place,
        text: scale.log ? power(value) : spell(measure, value),
      })),
      low: spell(measure, scale.low),
      high: spell(measure, scale.high),
      none: none.fill,
      broken: values.includes(Number.POSITIVE_INFINITY) ? BROKEN.fill : null,
    },
  };
}

/** `1e-7` for a power of ten. */
function power(value: number): string {
  return value >= 0.01 && value <= 1000 ? String(value) : value.toExponential(0).replace("e+", "e");
}
