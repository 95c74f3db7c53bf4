/** Two networks in one: the second, with what was removed from the first put back in its place. */

import type { WireChange, WireDiff } from "../wire";
import { type Details, detailsOf } from "./changes";
import { mergeEdges, mergeParts } from "./merge_network";
import type { Item, Network } from "./network";
import { matched, type Places, place } from "./places";

/** What became of an item. */
export const MARKS = ["none", "added", "removed", "changed", "renamed"] as const;

export type Mark = (typeof MARKS)[number];

/** Two networks, their items matched, and both of them in one. */
export interface Comparison {
  readonly before: Network;
  readonly after: Network;
  /** Both in one: all items of the second, and those of the first that have no match. */
  readonly merged: Network;
  /** Index into `MARKS` by item of the merged network. */
  readonly marks: Uint8Array;
  /** By item of the merged network: how many marked items lie in it, itself not counted. */
  readonly marksInside: Int32Array;
  /** By edge of the merged network: index into `MARKS`. */
  readonly edgeMarks: Uint8Array;
  /** What is different at an item of the merged network. */
  readonly details: ReadonlyMap<Item, readonly Details[]>;
  /** Matching items: of the first in the second and back, -1 for none. */
  readonly forward: Int32Array;
  readonly backward: Int32Array;
  /** Items of the first and of the second network in the merged one. */
  readonly fromBefore: Int32Array;
  readonly fromAfter: Int32Array;
  /** Items of the merged network in the first and in the second, -1 where it is in one only. */
  readonly inBefore: Int32Array;
  readonly inAfter: Int32Array;
}

/** Compares two networks, in time linear in their sizes. */
export function compare(before: Network, after: Network, diff: WireDiff): Comparison {
  const pairs = matched(before, after, diff);
  const places = place(before, after, pairs);
  const edges = mergeEdges(before, after, pairs, places);
  const known = mark(before, after, diff, places);
  const merged = mergeParts(before, after, places, edges.edges, known.marks);
  return {
    before,
    after,
    merged,
    ...known,
    marksInside: countInside(merged, known.marks),
    edgeMarks: edges.marks,
    ...pairs,
    fromBefore: places.fromBefore,
    fromAfter: places.fromAfter,
    inBefore: places.inBefore,
    inAfter: places.inAfter,
  };
}

function mark(before: Network, after: Network, diff: WireDiff, places: Places) {
  const count = places.nodes + places.scopes;
  const marks = new Uint8Array(count);
  for (let item = 0; item < count; item++) {
    if (places.inAfter[item] < 0) marks[item] = MARKS.indexOf("removed");
    else if (places.inBefore[item] < 0) marks[item] = MARKS.indexOf("added");
  }
  const details = new Map<Item, Details[]>();
  const readers = [readersOf(before), readersOf(after)] as const;
  for (const change of diff.changes) {
    for (const item of itemsOf(change, before, after, places, readers)) {
      const told = detailsOf(change);
      const known = details.get(item);
      if (known === undefined) details.set(item, [told]);
      else known.push(told);
      if (marks[item] === 1 || marks[item] === 2) continue;
      // What changed says more than a new name.
      const isRenamed = change.kind === "renamed" && change.what !== "parameter";
      if (!isRenamed) marks[item] = MARKS.indexOf("changed");
      else if (marks[item] === 0) marks[item] = MARKS.indexOf("renamed");
    }
  }
  return { marks, details };
}

/** Gives a function that finds the nodes which read a parameter; made when it is first asked. */
function readersOf(network: Network): (fqn: string) => readonly Item[] {
  let readers: Map<string, Item[]> | undefined;
  return (fqn) => {
    if (readers === undefined) {
      readers = new Map();
      for (let node = 0; node < network.nodes; node++) {
        for (const name of network.words.reads(node)) {
          const known = readers.get(name);
          if (known === undefined) readers.set(name, [node]);
          else known.push(node);
        }
      }
    }
    return readers.get(fqn) ?? [];
  };
}

/** Finds the items of the merged network that a change is told at. */
function itemsOf(
  change: WireChange,
  before: Network,
  after: Network,
  { fromBefore, fromAfter }: Places,
  [readBefore, readAfter]: readonly [
    (fqn: string) => readonly Item[],
    (fqn: string) => readonly Item[],
  ],
): readonly Item[] {
  const { what } = change;
  if (what === "parameter") {
    return change.after !== null
      ? readAfter(change.after).map((item) => fromAfter[item])
      : readBefore(change.before ?? "").map((item) => fromBefore[item]);
  }
  const end = (text: string): string =>
    what === "edge" ? text.slice(text.lastIndexOf(" -> ") + 4, text.lastIndexOf(":")) : text;
  const item =
    change.after !== null
      ? lookUp(after, fromAfter, end(change.after))
      : lookUp(before, fromBefore, end(change.before ?? ""));
  return item < 0 ? [] : [item];
}

function lookUp(network: Network, places: Int32Array, id: string): Item {
  const item = network.find(id);
  return item === undefined ? -1 : places[item];
}

function countInside({ order, parent }: Network, marks: Uint8Array): Int32Array {
  const inside = new Int32Array(marks.length);
  for (let at = order.length - 1; at > 0; at--) {
    const item = order[at];
    inside[parent[item]] += inside[item] + (marks[item] === 0 ? 0 : 1);
  }
  return inside;
}
