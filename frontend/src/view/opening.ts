/** Which scopes are open: questions about sets of them, and new sets from old. */

import type { Item, Network } from "../graph/network";

/** The open scopes, and the runs of identical siblings that are shown one by one. */
export interface Openings {
  readonly open: ReadonlySet<Item>;
  readonly unfolded: ReadonlySet<Item>;
}

/** Whether an item is a scope, which can be opened. */
export function isScope(network: Network, item: Item): boolean {
  return item >= network.nodes && item < network.nodes + network.scopes;
}

/** The children of a scope, in execution order. */
export function childrenOf(network: Network, scope: Item): Int32Array {
  const { start, values } = network.children;
  const row = scope - network.nodes;
  return values.subarray(start[row], start[row + 1]);
}

/** The scopes around an item, the nearest first. */
export function ancestors(network: Network, item: Item): Item[] {
  const found: Item[] = [];
  for (let at = network.parent[item]; at >= 0; at = network.parent[at]) found.push(at);
  return found;
}

/** How many identical siblings a run counts that an item starts; 1 for most, 0 for a follower. */
export function repeatOf(network: Network, item: Item): number {
  return isScope(network, item) ? network.repeat[item - network.nodes] : 1;
}

/** The first scope of the run of identical siblings that a scope belongs to; itself if in none. */
export function runFirst(network: Network, item: Item): Item {
  if (repeatOf(network, item) !== 0) return item;
  const siblings = childrenOf(network, network.parent[item]);
  for (let at = siblings.indexOf(item) - 1; at >= 0; at -= 1) {
    if (isScope(network, siblings[at]) && repeatOf(network, siblings[at]) > 1) return siblings[at];
  }
  return item;
}

/**
 * The visible item that shows an item: itself, or the closed scope that holds it. What lies in a
 * folded sibling is shown by its counterpart in the first of the run.
 */
export function shownBy(network: Network, { open, unfolded }: Openings, item: Item): Item {
  const { parent, order, enter, leave } = network;
  let shown = item;
  for (let folded = outermost(); folded >= 0; folded = outermost()) {
    const first = runFirst(network, folded);
    const place = enter[first] + enter[shown] - enter[folded];
    shown = place < leave[first] ? order[place] : first;
  }
  for (let at = parent[shown]; at >= 0; at = parent[at]) if (!open.has(at)) shown = at;
  return shown;

  function outermost(): Item {
    let found = -1;
    for (let at = shown; at >= 0; at = parent[at]) {
      if (repeatOf(network, at) === 0 && !unfolded.has(runFirst(network, at))) found = at;
    }
    return found;
  }
}

/** Levels that can be opened: 1 if there is nothing but nodes in the root. */
export function deepest(network: Network): number {
  let most = 0;
  for (let item = network.nodes; item < network.nodes + network.scopes; item += 1) {
    if (network.depth[item] > most) most = network.depth[item];
  }
  return most + 1;
}

/** The scopes that are open when the network is open to a depth; 1 shows what is in the root. */
export function toDepth(network: Network, depth: number): Set<Item> {
  const open = new Set<Item>([network.root]);
  for (let item = network.nodes; item < network.nodes + network.scopes; item += 1) {
    if (network.depth[item] < depth) open.add(item);
  }
  return open;
}

/** The depth to which a set is open: all scopes above it are open, and some at it are not. */
export function depthOf(network: Network, open: ReadonlySet<Item>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let item = network.nodes; item < network.nodes + network.scopes; item += 1) {
    if (network.depth[item] < least && !open.has(item)) least = network.depth[item];
  }
  return Math.min(least, deepest(network));
}

/** The scopes with the same class as a scope, itself among them. */
export function kin(network: Network, scope: Item): Item[] {
  const label = network.label(scope);
  const found: Item[] = [];
  for (let item = network.nodes; item < network.nodes + network.scopes; item += 1) {
    if (network.label(item) === label && item !== network.root) found.push(item);
  }
  return found;
}

/** What has to be open for an item to be seen, beside what is open already. */
export function opened(network: Network, openings: Openings, item: Item): Openings {
  const open = new Set(openings.open);
  const unfolded = new Set(openings.unfolded);
  for (let at = item; at >= 0; at = network.parent[at]) {
    if (at !== item) open.add(at);
    if (repeatOf(network, at) === 0) unfolded.add(runFirst(network, at));
  }
  return { open, unfolded };
}

/**
 * Visits what is visible, from top to bottom, an open scope before what is in it.
 * A visit that gives false ends the walk.
 */
export function eachVisible(
  network: Network,
  { open, unfolded }: Openings,
  visit: (item: Item, level: number) => boolean | undefined,
): void {
  const stack: Item[] = [network.root];
  while (stack.length > 0) {
    const item = stack.pop() as Item;
    if (visit(item, network.depth[item]) === false) return;
    if (!isScope(network, item) || !open.has(item)) continue;
    const children = childrenOf(network, item);
    const shown: Item[] = [];
    let folded = false;
    for (const child of children) {
      const repeat = repeatOf(network, child);
      if (repeat > 1) folded = !unfolded.has(child);
      if (repeat !== 0 || !folded) shown.push(child);
    }
    for (let at = shown.length - 1; at >= 0; at -= 1) stack.push(shown[at]);
  }
}

/** How many boxes are visible, counted up to a limit. */
export function countVisible(network: Network, openings: Openings, limit: number): number {
  let count = -1;
  eachVisible(network, openings, () => {
    count += 1;
    return count <= limit;
  });
  return count;
}

/** What is open at first: as deep as shows no more boxes than can be read. */
export function firstOpening(network: Network, readable = 32): Set<Item> {
  let open = toDepth(network, 1);
  for (let depth = 2; depth <= deepest(network); depth += 1) {
    const deeper = toDepth(network, depth);
    const count = countVisible(network, { open: deeper, unfolded: new Set() }, readable);
    if (count > readable) break;
    open = deeper;
  }
  return open;
}
