/** What layout works out about an outline once, whatever is open. */

import type { Item, Lists } from "../graph/network";
import type { Outline } from "./picture";

/** An outline with its preorder and its values numbered. */
export interface Survey {
  readonly outline: Outline;
  readonly root: Item;
  readonly items: number;
  /** Items in preorder, the place of each in it, and how many items lie in each (itself too). */
  readonly order: Int32Array;
  readonly enter: Int32Array;
  readonly size: Int32Array;
  /** Values are numbered by node, then by output; values of node `n`: `firstValue[n] …`. */
  readonly value: Int32Array;
  readonly firstValue: Int32Array;
  readonly outputOf: Int32Array;
  /** Edges by the node they enter, in order of its inputs. */
  readonly incoming: Lists;
}

/** Surveys an outline, in time linear in its size (but for sorting the edges of each node). */
export function survey(outline: Outline): Survey {
  return { outline, ...preorder(outline), ...values(outline), incoming: entering(outline) };
}

function preorder(outline: Outline) {
  const { nodes, scopes, children, parent } = outline;
  const items = nodes + scopes;
  const root = nodes;
  const order = new Int32Array(items);
  const enter = new Int32Array(items).fill(-1);
  const size = new Int32Array(items).fill(1);
  const stack = [root];
  let at = 0;
  while (stack.length > 0) {
    const item = stack.pop() as Item;
    enter[item] = at;
    order[at++] = item;
    if (item < nodes) continue;
    const first = children.start[item - nodes];
    for (let child = children.start[item - nodes + 1] - 1; child >= first; child--) {
      stack.push(children.values[child]);
    }
  }
  for (let place = at - 1; place > 0; place--) {
    size[parent[order[place]]] += size[order[place]];
  }
  return { root, items, order, enter, size };
}

function values(outline: Outline) {
  const { source, output } = outline.edges;
  const outgoing = grouped(source, outline.nodes);
  const value = new Int32Array(source.length);
  const firstValue = new Int32Array(outline.nodes + 1);
  const outputs: number[] = [];
  for (let node = 0; node < outline.nodes; node++) {
    firstValue[node] = outputs.length;
    const mine = outgoing.values.subarray(outgoing.start[node], outgoing.start[node + 1]);
    if (mine.length > 1) mine.sort((a, b) => output[a] - output[b] || a - b);
    for (let at = 0; at < mine.length; at++) {
      if (at === 0 || output[mine[at]] !== output[mine[at - 1]]) outputs.push(output[mine[at]]);
      value[mine[at]] = outputs.length - 1;
    }
  }
  firstValue[outline.nodes] = outputs.length;
  return { value, firstValue, outputOf: Int32Array.from(outputs) };
}

function entering(outline: Outline): Lists {
  const { target, input } = outline.edges;
  const lists = grouped(target, outline.nodes);
  for (let node = 0; node < outline.nodes; node++) {
    const mine = lists.values.subarray(lists.start[node], lists.start[node + 1]);
    if (mine.length > 1) mine.sort((a, b) => input[a] - input[b] || a - b);
  }
  return lists;
}

/** Indexes of `keys` by key, in order: a counting sort. */
export function grouped(keys: ArrayLike<number>, rows: number): Lists {
  const start = new Int32Array(rows + 1);
  for (let at = 0; at < keys.length; at++) start[keys[at] + 1]++;
  for (let row = 0; row < rows; row++) start[row + 1] += start[row];
  const next = start.slice(0, rows);
  const values = new Int32Array(keys.length);
  for (let at = 0; at < keys.length; at++) values[next[keys[at]]++] = at;
  return { start, values };
}
