/** Which nodes a value comes from or goes to, and the shortest way between two items. */

import type { Item, Network } from "./network";

/** Marks of nodes: 1 for those that belong. */
export type NodeSet = Uint8Array;

/** Lists the nodes of an item: itself, or all that lie in the scope. */
export function nodesOf(network: Network, item: Item): Item[] {
  if (item < network.nodes) return [item];
  const found: Item[] = [];
  for (let at = network.enter[item]; at < network.leave[item]; at++) {
    if (network.order[at] < network.nodes) found.push(network.order[at]);
  }
  return found;
}

/** Marks all nodes that values of an item come from, its own included. */
export function upstream(network: Network, item: Item): NodeSet {
  return reach(network, nodesOf(network, item), false).seen;
}

/** Marks all nodes that values of an item go to, its own included. */
export function downstream(network: Network, item: Item): NodeSet {
  return reach(network, nodesOf(network, item), true).seen;
}

/** Marks the nodes that are in one set or in the other. */
export function union(one: NodeSet, other: NodeSet): NodeSet {
  return one.map((mark, node) => mark | other[node]);
}

/**
 * Finds a shortest way along the edges from one item to another, or else from the second to the
 * first.
 *
 * @returns The nodes on it in the order of flow, none if no value goes from one to the other.
 */
export function shortestPath(network: Network, from: Item, to: Item): Item[] {
  const one = nodesOf(network, from);
  const other = nodesOf(network, to);
  const found = pathBetween(network, one, other);
  return found.length > 0 ? found : pathBetween(network, other, one);
}

/**
 * Lifts marked nodes to items: the nodes, and all scopes that hold one.
 *
 * @param visible - Tells which items are seen; without it all are listed.
 */
export function lift(
  network: Network,
  marked: NodeSet,
  visible: (item: Item) => boolean = () => true,
): Set<Item> {
  const { nodes, parent } = network;
  const lit = new Set<Item>();
  const seen = new Uint8Array(network.scopes);
  for (let node = 0; node < nodes; node++) {
    if (marked[node] === 0) continue;
    if (visible(node)) lit.add(node);
    for (let item = parent[node]; item >= 0 && seen[item - nodes] === 0; item = parent[item]) {
      seen[item - nodes] = 1;
      if (visible(item)) lit.add(item);
    }
  }
  return lit;
}

/** Marks the nodes listed. */
export function nodeSet(network: Network, listed: readonly Item[]): NodeSet {
  const marked = new Uint8Array(network.nodes);
  for (const node of listed) marked[node] = 1;
  return marked;
}

/** Goes through the graph breadth first, until it comes to a node of `goal`. */
function reach(
  { nodes, edges, outgoing, incoming }: Network,
  starts: readonly Item[],
  forward: boolean,
  goal?: NodeSet,
): { seen: NodeSet; before: Int32Array; end: Item } {
  const [lists, ends] = forward ? [outgoing, edges.target] : [incoming, edges.source];
  const seen = new Uint8Array(nodes);
  const before = new Int32Array(goal === undefined ? 0 : nodes).fill(-1);
  const queue = new Int32Array(nodes);
  let last = 0;
  for (const start of starts) {
    if (goal?.[start] === 1) return { seen, before, end: start };
    seen[start] = 1;
    queue[last++] = start;
  }
  for (let first = 0; first < last; first++) {
    const node = queue[first];
    for (let at = lists.start[node]; at < lists.start[node + 1]; at++) {
      const next = ends[lists.values[at]];
      if (seen[next] === 1) continue;
      seen[next] = 1;
      queue[last++] = next;
      if (goal === undefined) continue;
      before[next] = node;
      if (goal[next] === 1) return { seen, before, end: next };
    }
  }
  return { seen, before, end: -1 };
}

function pathBetween(network: Network, from: readonly Item[], to: readonly Item[]): Item[] {
  const { before, end } = reach(network, from, true, nodeSet(network, to));
  const path: Item[] = [];
  for (let node = end; node >= 0; node = before[node]) path.push(node);
  return path.reverse();
}
