/** Columns of the wire, read: one attribute of many rows, each distinct value written once. */

import type { Column } from "../wire";

/** Tells what is wrong with a document; its message is for the user. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/**
 * Gives a function that finds the value of a row, undefined where the row has none.
 *
 * @param name - What to call the column in an error.
 * @throws WireError if the column has another form or another number of rows.
 */
export function reader<T>(
  column: Column<T> | undefined,
  count: number,
  name: string,
): (row: number) => T | undefined {
  if (column === undefined || column === null || typeof column !== "object") {
    throw new WireError(`Column "${name}" is missing.`);
  }
  if ("all" in column) {
    const all = column.all;
    return () => all;
  }
  if ("rows" in column) {
    const rows = column.rows;
    checkLength(rows, count, name);
    return (row) => rows[row];
  }
  const { of, at } = column;
  checkLength(at, count, name);
  if (!Array.isArray(of)) throw new WireError(`Column "${name}" has no table of values.`);
  for (let row = 0; row < count; row++) {
    if (!(at[row] >= -1 && at[row] < of.length)) {
      throw new WireError(
        `Column "${name}": row ${row} asks for value ${at[row]} of ${of.length}.`,
      );
    }
  }
  return (row) => of[at[row]];
}

/**
 * Reads a column of whole numbers from `low` to below `high`.
 *
 * @param missing - What stands where there is no number.
 * @throws WireError if there is anything else in it.
 */
export function integers(
  column: Column<number | null> | undefined,
  count: number,
  name: string,
  [low, high]: readonly [number, number],
  missing?: number,
): Int32Array {
  const read = reader(column, count, name);
  const found = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const value = read(row);
    if (typeof value === "number" && value >= low && value < high && Number.isInteger(value)) {
      found[row] = value;
    } else if (missing !== undefined && (value === null || value === undefined)) {
      found[row] = missing;
    } else {
      throw outside(name, row, value, low, high);
    }
  }
  return found;
}

/**
 * Copies a list of whole numbers from `low` to below `high`, null being -1 where that is allowed.
 *
 * @throws WireError if it is no list of `count` rows, or holds anything else.
 */
export function list(
  values: readonly (number | null)[] | undefined,
  count: number,
  name: string,
  [low, high]: readonly [number, number],
): Int32Array {
  checkLength(values, count, name);
  const found = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const value = (values as readonly (number | null)[])[row] ?? -1;
    if (!(value >= low && value < high && Number.isInteger(value))) {
      throw outside(name, row, value, low, high);
    }
    found[row] = value;
  }
  return found;
}

/** Copies a list of counts, which may be larger than an `Int32Array` holds. */
export function counts(
  values: readonly number[] | undefined,
  count: number,
  name: string,
): Float64Array {
  checkLength(values, count, name);
  const found = Float64Array.from(values as readonly number[]);
  for (let row = 0; row < count; row++) {
    if (!(found[row] >= 0)) throw outside(name, row, found[row], 0, Number.POSITIVE_INFINITY);
  }
  return found;
}

/** Checks that `values` is a list of `count` rows. */
export function checkLength(values: unknown, count: number, name: string): void {
  if (!Array.isArray(values)) throw new WireError(`"${name}" is not a list.`);
  if (values.length !== count) {
    throw new WireError(`"${name}" has ${values.length} rows, expected ${count}.`);
  }
}

function outside(name: string, row: number, value: unknown, low: number, high: number): WireError {
  const got = String(value).slice(0, 40);
  return new WireError(`"${name}", row ${row}: got ${got}, expected ${low} to ${high - 1}.`);
}
