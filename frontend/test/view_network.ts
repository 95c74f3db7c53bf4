/** Small networks for the tests of the view, made by hand. */

import type { Item, Network } from "../src/graph/network";

/** A scope or node: `name`, `name*3` for a run of three, with what is in it. */
export type Sketch = readonly [string, readonly Sketch[]] | string;

/** A network of nested modules without edges; `name*3` makes three alike and tells of the run. */
export function sketched(root: readonly Sketch[]): Network {
  const nodes: { id: string; parent: number; label: string }[] = [];
  const scopes: { id: string; parent: number; label: string; repeat: number; in: number[] }[] = [];
  const todo: { sketch: Sketch; parent: number; id: string; repeat: number }[] = [];
  scopes.push({ id: "", parent: -1, label: "Root", repeat: 1, in: [] });
  const spread = (list: readonly Sketch[], parent: number, prefix: string) => {
    const made: typeof todo = [];
    for (const sketch of list) {
      const [name, times] = (typeof sketch === "string" ? sketch : sketch[0]).split("*");
      for (let at = 0; at < Number(times ?? 1); at += 1) {
        const id = prefix + name + (times ? at : "");
        const repeat = times ? (at === 0 ? Number(times) : 0) : 1;
        made.push({ sketch, parent, id, repeat });
      }
    }
    todo.unshift(...made);
  };
  spread(root, 0, "");
  const placed: [number, number][] = [];
  while (todo.length > 0) {
    const { sketch, parent, id, repeat } = todo.shift() as (typeof todo)[0];
    const label = (typeof sketch === "string" ? sketch : sketch[0]).split("*")[0];
    if (typeof sketch === "string") {
      placed.push([parent, nodes.length]);
      nodes.push({ id, parent, label });
    } else {
      placed.push([parent, -1 - scopes.length]);
      scopes.push({ id, parent, label, repeat, in: [] });
      spread(sketch[1], scopes.length - 1, `${id}.`);
    }
  }
  const count = nodes.length;
  const item = (ref: number): Item => (ref >= 0 ? ref : count - 1 - ref);
  for (const [parent, ref] of placed) scopes[parent].in.push(item(ref));
  const ids = [...nodes.map((one) => one.id), ...scopes.map((one) => one.id)];
  const labels = [...nodes.map((one) => one.label), ...scopes.map((one) => one.label)];
  const parent = Int32Array.from([
    ...nodes.map((one) => count + one.parent),
    ...scopes.map((one) => (one.parent < 0 ? -1 : count + one.parent)),
  ]);
  const depth = new Int32Array(ids.length);
  for (let at = count + 1; at < ids.length; at += 1) depth[at] = depth[parent[at]] + 1;
  for (let at = 0; at < count; at += 1) depth[at] = depth[parent[at]] + 1;
  const start = Int32Array.from([0, ...scopes.map((_, s) => sum(scopes.slice(0, s + 1)))]);
  const values = Int32Array.from(scopes.flatMap((one) => one.in));
  const order: Item[] = [];
  const enter = new Int32Array(ids.length);
  const leave = new Int32Array(ids.length);
  const visit: Item[] = [count];
  while (visit.length > 0) {
    const at = visit.pop() as Item;
    enter[at] = order.length;
    order.push(at);
    if (at >= count) visit.push(...scopes[at - count].in.toReversed());
  }
  for (const at of order.toReversed()) {
    leave[at] = Math.max(leave[at], enter[at] + 1);
    if (parent[at] >= 0) leave[parent[at]] = Math.max(leave[parent[at]], leave[at]);
  }
  return {
    order: Int32Array.from(order),
    enter,
    leave,
    nodes: count,
    scopes: scopes.length,
    root: count,
    parent,
    depth,
    ids,
    children: { start, values },
    repeat: Int32Array.from(scopes.map((one) => one.repeat)),
    label: (at: Item) => labels[at],
    find: (id: string) => {
      const at = ids.indexOf(id);
      return at < 0 ? undefined : at;
    },
  } as unknown as Network;
}

function sum(scopes: { in: number[] }[]): number {
  return scopes.reduce((total, one) => total + one.in.length, 0);
}
