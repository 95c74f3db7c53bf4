/** Places of numbers on a scale from 0 to 1, and the ticks of its legend. */

/** A place on the scale with the number that stands there. */
export interface Tick {
  readonly value: number;
  /** From 0 at the low end to 1 at the high end. */
  readonly place: number;
}

/** A linear or logarithmic scale. */
export interface NumberScale {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  /** Place of a number, kept from 0 to 1; null where a logarithm has none: 0, or not known. */
  readonly place: (value: number) => number | null;
  readonly ticks: readonly Tick[];
}

const LOG_FROM = 100; // Largest over smallest number from which a logarithm shows more.

/**
 * Makes the scale that fits some numbers, logarithmic where they range over decades.
 *
 * Zeros and numbers that are not finite do not count; a linear scale then starts at 0.
 */
export function numberScale(values: Iterable<number>): NumberScale {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const value of values) {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high === 0) return { low: 0, high: 0, log: false, place: () => null, ticks: [] };
  const log = high / low >= LOG_FROM;
  return log ? logScale(low, high) : linearScale(high);
}

function linearScale(high: number): NumberScale {
  const place = (value: number): number | null =>
    Number.isFinite(value) ? Math.min(Math.max(value / high, 0), 1) : null;
  const step = niceStep(high / 4);
  const ticks: Tick[] = [];
  for (let at = 0; at * step <= high * (1 + 1e-9); at++) {
    const value = Number((at * step).toPrecision(12));
    ticks.push({ value, place: value / high });
  }
  return { low: 0, high, log: false, place, ticks };
}

function logScale(low: number, high: number): NumberScale {
  const from = Math.log10(low);
  const width = Math.log10(high) - from;
  const place = (value: number): number | null =>
    value > 0 && value < Number.POSITIVE_INFINITY
      ? Math.min(Math.max((Math.log10(value) - from) / width, 0), 1)
      : null;
  const first = Math.ceil(from - 1e-9);
  const last = Math.floor(from + width + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / 5));
  const ticks: Tick[] = [];
  for (let power = first; power <= last; power += every) {
    const value = 10 ** power;
    ticks.push({ value, place: place(value) ?? 0 });
  }
  return { low, high, log: true, place, ticks };
}

/** The smallest of 1, 2, 5, 10, 20, 50 … (and of 0.1, 0.2 …) that is not below a number. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}
