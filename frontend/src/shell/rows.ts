/** The outline as a list of rows, in step with what is open on the canvas. */

import type { Item, Network } from "../graph/network";
import { eachVisible, isScope, type Openings, repeatOf } from "../view/opening";

/** Rows of the outline, from top to bottom. */
export interface Rows {
  readonly items: Int32Array;
  readonly levels: Int32Array;
  /** Row of each item, -1 for what has none. */
  readonly rowOf: Int32Array;
}

/** Lists what the canvas shows, the root left out. */
export function rowsOf(network: Network, openings: Openings): Rows {
  const items: Item[] = [];
  const levels: number[] = [];
  const rowOf = new Int32Array(network.nodes + network.scopes).fill(-1);
  eachVisible(network, openings, (item, level) => {
    if (item === network.root) return undefined;
    rowOf[item] = items.length;
    items.push(item);
    levels.push(level);
    return undefined;
  });
  return { items: Int32Array.from(items), levels: Int32Array.from(levels), rowOf };
}

/** What is written in a row: the last part of the id first, since the class says what it is. */
export function rowName(network: Network, item: Item): string {
  const id = network.ids[item];
  const outer = network.parent[item] >= 0 ? network.ids[network.parent[item]] : "";
  const prefix = outer.replace(/@\d+$/, "");
  if (outer !== "" && id.startsWith(`${outer}.`)) return id.slice(outer.length + 1);
  return prefix !== "" && id.startsWith(`${prefix}.`) ? id.slice(prefix.length + 1) : id;
}

/** Whether a row can be opened, and how often it repeats. */
export function rowKind(network: Network, item: Item): { scope: boolean; repeat: number } {
  return { scope: isScope(network, item), repeat: Math.max(1, repeatOf(network, item)) };
}
