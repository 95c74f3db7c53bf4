/** Lists of numbers in two flat arrays, and trees and graphs made of them. */

import type { Item, Lists } from "./network";

/** Groups the numbers `0 … keys.length - 1` by their key, in order; a negative key is in none. */
export function groupBy(keys: Int32Array, groups: number): Lists {
  const start = new Int32Array(groups + 1);
  for (const key of keys) if (key >= 0) start[key + 1]++;
  for (let group = 0; group < groups; group++) start[group + 1] += start[group];
  const next = start.slice(0, groups);
  const values = new Int32Array(start[groups]);
  for (let at = 0; at < keys.length; at++) if (keys[at] >= 0) values[next[keys[at]]++] = at;
  return { start, values };
}

/** Places of items in a tree. */
export interface Tree {
  readonly depth: Int32Array;
  readonly enter: Int32Array;
  readonly leave: Int32Array;
  readonly order: Int32Array;
}

/**
 * Numbers items in preorder; those that the root does not reach keep depth -1.
 *
 * @param children - Children of each scope, scope `s` being item `nodes + s`, the root scope 0.
 */
export function numberTree(nodes: number, children: Lists): Tree {
  const scopes = children.start.length - 1;
  const count = nodes + scopes;
  const depth = new Int32Array(count).fill(-1);
  const enter = new Int32Array(count);
  const leave = new Int32Array(count);
  const order = new Int32Array(count);
  const next = children.start.slice(0, scopes);
  const path: Item[] = [];
  let number = 0;
  const visit = (item: Item): void => {
    depth[item] = path.length;
    order[number] = item;
    enter[item] = number++;
    if (item < nodes) leave[item] = number;
    else path.push(item);
  };
  if (scopes > 0) visit(nodes);
  while (path.length > 0) {
    const item = path[path.length - 1];
    const scope = item - nodes;
    if (next[scope] < children.start[scope + 1]) {
      const child = children.values[next[scope]++];
      if (depth[child] < 0) visit(child);
    } else {
      leave[item] = number;
      path.pop();
    }
  }
  return { depth, enter, leave, order: order.subarray(0, number) };
}
