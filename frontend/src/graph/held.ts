/** What a network holds, whether the run that was captured used it or not. */

import type { WireTopology } from "../wire";
import { reader } from "./column";

/** Gives the number of elements of all parameters; a shared one counts once. */
export function heldParameters({ parameters }: WireTopology): number {
  const rows = parameters.fqn.length;
  const shape = reader(parameters.shape, rows, "parameters.shape");
  const kind = reader(parameters.kind, rows, "parameters.kind");
  const alias = reader(parameters.alias_of, rows, "parameters.alias_of");
  let sum = 0;
  for (let row = 0; row < rows; row += 1) {
    if (kind(row) !== "parameter" || alias(row)) continue;
    const sizes = (shape(row) ?? []).map(Number);
    // A size that is known by name only counts as nothing, as everywhere.
    const size = sizes.reduce((product, one) => product * one, 1);
    if (Number.isFinite(size)) sum += size;
  }
  return sum;
}
