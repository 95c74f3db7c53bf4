/** Places of the items of two networks in one. */

import type { WireDiff } from "../wire";
import type { Item, Lists, Network } from "./network";

/** Matching items: of the first network in the second and back, -1 for none. */
export interface Pairs {
  readonly forward: Int32Array;
  readonly backward: Int32Array;
}

/** Reads which items match. */
export function matched(before: Network, after: Network, diff: WireDiff): Pairs {
  const forward = new Int32Array(before.nodes + before.scopes).fill(-1);
  const backward = new Int32Array(after.nodes + after.scopes).fill(-1);
  const pair = (one: Item, other: Item): void => {
    forward[one] = other;
    backward[other] = one;
  };
  diff.nodes.forEach((other, one) => {
    if (other >= 0) pair(one, other);
  });
  diff.scopes.forEach((other, one) => {
    if (other >= 0) pair(before.nodes + one, after.nodes + other);
  });
  pair(before.root, after.root);
  return { forward, backward };
}

/** The tree of both networks in one, and where their items are in it. */
export interface Places {
  readonly nodes: number;
  readonly scopes: number;
  readonly fromBefore: Int32Array;
  readonly fromAfter: Int32Array;
  readonly inBefore: Int32Array;
  readonly inAfter: Int32Array;
  readonly parent: Int32Array;
  readonly children: Lists;
}

/**
 * Gives every item its number and its place: a removed item stands behind what it stood behind,
 * in the scope that matches the one around it.
 */
export function place(before: Network, after: Network, { forward, backward }: Pairs): Places {
  // Items by preorder as they come to stand, from a walk over the second network into which the
  // removed ones are put.
  const isRemoved = (item: Item): boolean => forward[item] < 0;
  const following = new Map<Item, Item[]>(); // Removed items of the first by the match they follow.
  const leading = new Map<Item, Item[]>(); // … by the match of the scope that they start.
  const push = (lists: Map<Item, Item[]>, key: Item, item: Item): void => {
    const known = lists.get(key);
    if (known === undefined) lists.set(key, [item]);
    else known.push(item);
  };
  for (let scope = 0; scope < before.scopes; scope++) {
    const around = before.nodes + scope;
    if (isRemoved(around)) continue; // All of it goes along with it.
    let last = -1;
    for (let at = before.children.start[scope]; at < before.children.start[scope + 1]; at++) {
      const child = before.children.values[at];
      const match = forward[child];
      if (match < 0) {
        if (last < 0) push(leading, forward[around], child);
        else push(following, last, child);
      } else if (after.parent[match] === forward[around]) last = match;
    }
  }
  const entries: { side: 0 | 1; item: Item; around: number }[] = [];
  const waiting: { side: 0 | 1; item: Item; around: number }[] = [
    { side: 1, item: after.root, around: -1 },
  ];
  while (waiting.length > 0) {
    const entry = waiting.pop() as (typeof entries)[number];
    const { side, item } = entry;
    const at = entries.push(entry) - 1;
    const network = side === 0 ? before : after;
    if (item < network.nodes) continue;
    const scope = item - network.nodes;
    const inside: { side: 0 | 1; item: Item; around: number }[] = [];
    const add = (from: 0 | 1, child: Item): void => {
      inside.push({ side: from, item: child, around: at });
    };
    if (side === 1) for (const child of leading.get(item) ?? []) add(0, child);
    for (let k = network.children.start[scope]; k < network.children.start[scope + 1]; k++) {
      const child = network.children.values[k];
      if (side === 0 && !isRemoved(child)) continue; // It stands where the second has it.
      add(side, child);
      if (side === 1) for (const removed of following.get(child) ?? []) add(0, removed);
    }
    for (let k = inside.length - 1; k >= 0; k--) waiting.push(inside[k]);
  }
  return numbered(before, after, backward, entries);
}

function numbered(
  before: Network,
  after: Network,
  backward: Int32Array,
  entries: readonly { side: 0 | 1; item: Item; around: number }[],
): Places {
  const isNode = entries.map(({ side, item }) => item < (side === 0 ? before : after).nodes);
  const nodes = isNode.filter(Boolean).length;
  const scopes = entries.length - nodes;
  const count = nodes + scopes;
  const fromBefore = new Int32Array(before.nodes + before.scopes).fill(-1);
  const fromAfter = new Int32Array(after.nodes + after.scopes).fill(-1);
  const inBefore = new Int32Array(count).fill(-1);
  const inAfter = new Int32Array(count).fill(-1);
  const parent = new Int32Array(count).fill(-1);
  const numbers = new Int32Array(count);
  const inside: Item[][] = Array.from({ length: scopes }, () => []);
  let node = 0;
  let scope = nodes;
  entries.forEach(({ side, item, around }, at) => {
    const number = isNode[at] ? node++ : scope++;
    numbers[at] = number;
    const old = side === 0 ? item : backward[item];
    if (side === 1) {
      fromAfter[item] = number;
      inAfter[number] = item;
    }
    if (old >= 0) {
      fromBefore[old] = number;
      inBefore[number] = old;
    }
    if (around < 0) return;
    parent[number] = numbers[around];
    inside[numbers[around] - nodes].push(number);
  });
  const start = new Int32Array(scopes + 1);
  inside.forEach((children, at) => {
    start[at + 1] = start[at] + children.length;
  });
  const children = { start, values: Int32Array.from(inside.flat()) };
  return { nodes, scopes, fromBefore, fromAfter, inBefore, inAfter, parent, children };
}
