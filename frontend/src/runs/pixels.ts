/** Pictures of numbers: pixels for a canvas, four bytes each. */

import type { NumberScale } from "../scale/numbers";
import { RAMPS, type Ramp, rampColour } from "../scale/palette";
import { BROKEN } from "./colour";
import type { Matrix } from "./matrix";

/** Pixels, row by row from the top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

const SHADES = 256;
const BROKEN_BYTES = [BROKEN.fill >> 16, (BROKEN.fill >> 8) & 255, BROKEN.fill & 255] as const;

/** Draws a matrix: a row of pixels for each subject, a column for each step. */
export function matrixPixels({ steps, subjects, values }: Matrix, scale: NumberScale): Pixels {
  const width = Math.max(1, steps.length);
  const height = Math.max(1, subjects.length);
  const data = new Uint8ClampedArray(width * height * 4);
  const shades = shadesOf(RAMPS.viridis);
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (Number.isNaN(value)) continue; // What was not recorded is clear.
    const place = scale.place(value);
    if (place !== null) paint(data, at, shades, place);
    else if (!Number.isFinite(value)) {
      data.set(BROKEN_BYTES, at * 4);
      data[at * 4 + 3] = 255;
    }
  }
  return { width, height, data };
}

/** A distribution over steps: counts step by step, and the edges of the bins, ascending. */
export interface Distribution {
  readonly edges: readonly number[];
  readonly counts: Float32Array;
  readonly steps: number;
}

/**
 * Draws a distribution over steps, high values on top; a bin's colour is its share of the step's
 * fullest bin. Bins are as high as each other, which for bins of a logarithm is as it should be.
 */
export function distributionPixels({ edges, counts, steps }: Distribution): Pixels {
  const bins = Math.max(1, edges.length - 1);
  const width = Math.max(1, steps);
  const data = new Uint8ClampedArray(width * bins * 4);
  const shades = shadesOf(RAMPS.viridis);
  for (let step = 0; step < steps; step += 1) {
    const row = counts.subarray(step * bins, (step + 1) * bins);
    let most = 0;
    for (let bin = 0; bin < row.length; bin += 1) if (row[bin] > most) most = row[bin];
    for (let bin = 0; bin < row.length; bin += 1) {
      if (row[bin] <= 0) continue; // Empty bins are clear: where the tensor is not.
      // The root shows what is rare, too.
      paint(data, (bins - 1 - bin) * width + step, shades, Math.sqrt(row[bin] / most));
    }
  }
  return { width, height: bins, data };
}

/** Share of all elements that may be too small to be told from 0 in a picture. */
const SMALL = 0.005;

/**
 * Puts the bins next to 0 that hold next to nothing into the bin of the zeros: a logarithm would
 * give most of the picture to the few smallest elements.
 */
export function withoutSmallest({ edges, counts, steps }: Distribution): Distribution {
  const bins = edges.length - 1;
  const zero = edges.findIndex((edge, at) => edge < 0 && edges[at + 1] > 0);
  if (zero < 0) return { edges, counts, steps };
  const sums = new Float64Array(bins);
  for (let at = 0; at < counts.length; at += 1) sums[at % bins] += counts[at];
  const most = sums.reduce((total, one) => total + one, 0) * SMALL;
  let reach = 0;
  for (let small = 0; ; reach += 1) {
    const [below, above] = [zero - reach - 1, zero + reach + 1];
    if (below < 1 || above > bins - 2) break;
    small += sums[below] + sums[above];
    if (small > most) break;
  }
  if (reach === 0) return { edges, counts, steps };
  const kept = bins - 2 * reach;
  const first = zero - reach;
  const merged = new Float32Array(steps * kept);
  for (let step = 0; step < steps; step += 1) {
    for (let bin = 0; bin < bins; bin += 1) {
      const to = bin < first ? bin : bin > zero + reach ? bin - 2 * reach : first;
      merged[step * kept + to] += counts[step * bins + bin];
    }
  }
  const outer = [...edges.slice(0, first + 1), ...edges.slice(zero + reach + 1)];
  return { edges: outer, counts: merged, steps };
}

/** Shares of the fullest bin at one step, from the lowest bin on: the bars of a histogram. */
export function barsAt({ edges, counts, steps }: Distribution, step: number): number[] {
  const bins = Math.max(1, edges.length - 1);
  if (step < 0 || step >= steps) return [];
  const row = Array.from(counts.subarray(step * bins, (step + 1) * bins));
  const most = Math.max(...row, 0);
  return most === 0 ? [] : row.map((count) => count / most);
}

function paint(
  data: Uint8ClampedArray,
  pixel: number,
  shades: Uint8ClampedArray,
  place: number,
): void {
  const shade = Math.round(place * (SHADES - 1)) * 3;
  data[pixel * 4] = shades[shade];
  data[pixel * 4 + 1] = shades[shade + 1];
  data[pixel * 4 + 2] = shades[shade + 2];
  data[pixel * 4 + 3] = 255;
}

const MIXED = new Map<Ramp, Uint8ClampedArray>();

function shadesOf(ramp: Ramp): Uint8ClampedArray {
  const known = MIXED.get(ramp);
  if (known) return known;
  const shades = new Uint8ClampedArray(SHADES * 3);
  for (let at = 0; at < SHADES; at += 1) {
    const colour = rampColour(ramp, at / (SHADES - 1));
    shades.set([colour >> 16, (colour >> 8) & 255, colour & 255], at * 3);
  }
  MIXED.set(ramp, shades);
  return shades;
}
