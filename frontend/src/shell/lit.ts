/** Which boxes are lit by a trace: those that show a node of it, and the scopes around. */

import type { Item, Network } from "../graph/network";
import { downstream, nodeSet, shortestPath, union, upstream } from "../graph/trace";
import type { Picture } from "../layout/picture";
import { repeatOf } from "../view/opening";
import type { Direction, State, Trace } from "../view/state";

/** Nodes of a trace, found once for each. */
const marked = new WeakMap<Trace, { nodes: Uint8Array; count: number }>();
/** Lit items in a picture, found once for each trace and search. */
const lifted = new WeakMap<Picture, { of: object; lit: ReadonlySet<Item> }>();

/** The nodes that a trace marks, and how many they are. */
export function traced(network: Network, trace: Trace): { nodes: Uint8Array; count: number } {
  const known = marked.get(trace);
  if (known) return known;
  const nodes = mark(network, trace);
  const result = { nodes, count: nodes.reduce((sum, one) => sum + one, 0) };
  marked.set(trace, result);
  return result;
}

/** The items that stand out in a picture: of a trace, or else of a search; null if none do. */
export function litItems(
  network: Network,
  picture: Picture,
  { trace, found }: State,
): ReadonlySet<Item> | null {
  const of = trace ?? found;
  if (of === null) return null;
  const known = lifted.get(picture);
  if (known?.of === of) return known.lit;
  const lit = new Set<Item>();
  const shown = showing(network, picture);
  const light = (item: Item) => {
    for (let at = shown[item]; at >= 0 && !lit.has(at); at = network.parent[at]) lit.add(at);
  };
  if (trace) {
    const { nodes } = traced(network, trace);
    for (let node = 0; node < nodes.length; node += 1) if (nodes[node] === 1) light(node);
    light(trace.from);
    if (trace.kind === "path") light(trace.to);
  } else {
    for (const item of found ?? []) light(item);
  }
  lifted.set(picture, { of, lit });
  return lit;
}

/** The item that a picture shows for each item, in time linear in the network. */
export function showing(network: Network, { boxOf, boxes }: Picture): Int32Array {
  const { order, enter, leave, parent, root } = network;
  const shown = new Int32Array(order.length);
  /** The run that was met last in each open scope: folded siblings follow their first. */
  const runs = new Map<Item, Item>();
  for (let at = 0; at < order.length; ) {
    const item = order[at];
    const around = parent[item];
    if (item === root || boxOf[item] >= 0) {
      shown[item] = item;
      if (repeatOf(network, item) > 1) runs.set(around, item);
      at += 1;
      continue;
    }
    const holder = shown[around];
    const open = holder === around && (around === root || boxes.open[boxOf[around]] === 1);
    const first = open ? runs.get(around) : undefined;
    if (first === undefined) {
      shown[item] = holder;
      at += 1;
      continue;
    }
    const size = leave[first] - enter[first];
    for (let inside = 0; at < leave[item]; at += 1, inside += 1) {
      shown[order[at]] = inside < size ? shown[order[enter[first] + inside]] : first;
    }
  }
  return shown;
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
