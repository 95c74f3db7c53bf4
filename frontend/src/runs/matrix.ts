/** One statistic of everything over all steps, as a matrix: a row for each subject. */

import type { OverviewAnswer } from "./answers";
import { floats } from "./decode";

/** The matrix. What was not recorded is NaN. */
export interface Matrix {
  readonly steps: readonly number[];
  /** FQNs of parameters or modules, in execution order. */
  readonly subjects: readonly string[];
  /** Row by row: the value of subject `s` at column `c` is `values[s * steps.length + c]`. */
  readonly values: Float32Array;
}

/** A matrix with nothing in it. */
export const NOTHING: Matrix = { steps: [], subjects: [], values: new Float32Array(0) };

/**
 * Reads a matrix from an answer.
 *
 * @throws RangeError if there are not as many values as subjects times steps.
 */
export function readMatrix({ steps, subjects, values: text }: OverviewAnswer): Matrix {
  const values = floats(text);
  if (values.length !== steps.length * subjects.length) {
    throw new RangeError(
      `The overview has ${values.length} values, expected ${subjects.length} subjects × ` +
        `${steps.length} steps.`,
    );
  }
  return { steps, subjects, values };
}

/** The column that holds a step: the last that does not begin after it; 0 before all of them. */
export function columnOf(steps: readonly number[], step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Columns that one looks back: optimizers that take turns bring theirs in different ones. */
const BACK = 2;

/**
 * The values of all subjects at a column. Of one that has none there the last one before counts,
 * if it is near: it may take part in other steps than the rest, or its part is still to come.
 */
export function columnAt({ steps, subjects, values }: Matrix, column: number): Float32Array {
  const found = new Float32Array(subjects.length).fill(Number.NaN);
  if (column < 0 || column >= steps.length) return found;
  for (let row = 0; row < found.length; row += 1) {
    for (let at = column; at >= Math.max(0, column - BACK); at -= 1) {
      found[row] = values[row * steps.length + at];
      if (!Number.isNaN(found[row])) break;
    }
  }
  return found;
}
