/** Lines of several runs over common steps, as a chart wants them. */

import type { ScalarLine } from "./answers";
import type { Lines } from "./store";

/** Scalars of this name, or of one that starts so, are learning rates. */
const RATE = "learning rate";

/** The name of the number to draw: the loss, or the first that is no learning rate. */
export function mainLine(lines: Lines): string | null {
  const names = Object.keys(lines).filter((name) => !isRate(name));
  return (
    names.find((name) => name === "loss") ??
    names.find((name) => name.toLowerCase().includes("loss")) ??
    names[0] ??
    null
  );
}

/** Whether a scalar is a learning rate. */
export function isRate(name: string): boolean {
  return name.startsWith(RATE);
}

/** Columns of a chart: all steps, ascending, and for each line its value there or null. */
export function joined(
  lines: readonly (ScalarLine | undefined)[],
): [number[], ...(number | null)[][]] {
  const steps = [...new Set(lines.flatMap((line) => line?.steps ?? []))].sort((a, b) => a - b);
  const place = new Map(steps.map((step, at) => [step, at]));
  const columns = lines.map((line) => {
    const column = new Array<number | null>(steps.length).fill(null);
    line?.steps.forEach((step, at) => {
      const value = line.values[at];
      if (value !== null && Number.isFinite(value)) column[place.get(step) as number] = value;
    });
    return column;
  });
  return [steps, ...columns];
}

/** Whether values are better drawn on a logarithm: all positive, over decades. */
export function wantsLog(columns: readonly (readonly (number | null)[])[]): boolean {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value <= 0) return false;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return high / low > 50;
}
