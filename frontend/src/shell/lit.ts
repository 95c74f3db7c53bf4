/** Which boxes are lit by a trace: those that show a node of it, and the scopes around. */

import type { Item, Network } from "../graph/network";
import { downstream, nodeSet, shortestPath, union, upstream } from "../graph/trace";
import type { Picture } from "../layout/picture";
import type { Direction, State, Trace } from "../view/state";

/** Nodes of a trace, found once for each. */
const found = new WeakMap<Trace, { nodes: Uint8Array; count: number }>();
/** Lit items of a trace in a picture, found once for each. */
const lifted = new WeakMap<Picture, { trace: Trace; lit: ReadonlySet<Item> }>();

/** The nodes that a trace marks, and how many they are. */
export function traced(network: Network, trace: Trace): { nodes: Uint8Array; count: number } {
  const known = found.get(trace);
  if (known) return known;
  const nodes = mark(network, trace);
  const result = { nodes, count: nodes.reduce((sum, one) => sum + one, 0) };
  found.set(trace, result);
  return result;
}

/** The items that stand out in a picture; null if there is no trace. */
export function litItems(
  network: Network,
  picture: Picture,
  { trace }: State,
): ReadonlySet<Item> | null {
  if (!trace) return null;
  const known = lifted.get(picture);
  if (known?.trace === trace) return known.lit;
  const { nodes } = traced(network, trace);
  const { boxOf, boxes } = picture;
  const lit = new Set<Item>();
  for (let node = 0; node < nodes.length; node += 1) {
    if (nodes[node] === 0 || boxOf[node] < 0) continue;
    for (
      let item = boxes.item[boxOf[node]];
      item >= 0 && !lit.has(item);
      item = network.parent[item]
    ) {
      lit.add(item);
    }
  }
  for (const end of trace.kind === "path" ? [trace.from, trace.to] : [trace.from]) {
    if (boxOf[end] >= 0) lit.add(boxes.item[boxOf[end]]);
  }
  lifted.set(picture, { trace, lit });
  return lit;
}

function mark(network: Network, trace: Trace): Uint8Array {
  if (trace.kind === "path") return nodeSet(network, shortestPath(network, trace.from, trace.to));
  const ways: Readonly<Record<Direction, () => Uint8Array>> = {
    upstream: () => upstream(network, trace.from),
    downstream: () => downstream(network, trace.from),
    both: () => union(upstream(network, trace.from), downstream(network, trace.from)),
  };
  return ways[trace.kind]();
}
