/** The scale of a measure: places of values from 0 to 1, the same at all steps of a run. */

import { type NumberScale, numberScale } from "../scale/numbers";
import type { Matrix } from "./matrix";
import type { Measure } from "./measures";

/** Decades below the highest value that are told apart; what is less has the lowest colour. */
const DECADES = 12;

/**
 * The scale that fits a matrix. It spans all steps, so that a colour means the same as time goes
 * by; a share always spans 0 to 1.
 */
export function spanOf({ values }: Matrix, { scale }: Measure): NumberScale {
  if (scale === "share") return shareScale();
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high === 0) return numberScale([]);
  low = Math.max(low, high / 10 ** DECADES);
  // Two decades at least: noise within a factor of two is not to look like the end of the world.
  const middle = Math.sqrt(low * high);
  const fitted = numberScale([Math.min(low, middle / 10), Math.max(high, middle * 10)]);
  // A gradient that is exactly 0 is as dead as can be: the lowest colour, not none.
  return { ...fitted, place: (value) => (value === 0 ? 0 : fitted.place(value)) };
}

function shareScale(): NumberScale {
  return {
    low: 0,
    high: 1,
    log: false,
    place: (value) => (Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : null),
    ticks: [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value, place: value })),
  };
}
