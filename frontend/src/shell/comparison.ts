/** Two networks and what differs: for the picture, the list, and two canvases in step. */

import { type Details, detailsOf } from "../graph/changes";
import { compare, MARKS } from "../graph/merge";
import type { Item, Network } from "../graph/network";
import type { WireDiff } from "../wire";

/** One difference, and where it is in the merged network; null if it has no place there. */
export interface Difference extends Details {
  readonly item: Item | null;
  /**
   * Whether another says it all: a module is told of as removed, and this was in it; or a node,
   * and this is a parameter of it.
   */
  readonly implied: boolean;
}

/** Two networks, whole and merged. Marks are by item: 0 none, 1 added, 2 removed, 3 changed. */
export interface Compared {
  readonly networks: readonly [Network, Network];
  readonly merged: Network;
  readonly marks: readonly [Uint8Array, Uint8Array];
  readonly mergedMarks: Uint8Array;
  readonly differences: readonly Difference[];
  /** Items of the merged network in the first and in the second; -1 where it is in one only. */
  readonly inEach: readonly [Int32Array, Int32Array];
  /** Items of the one network in the other, -1 for none. */
  readonly matches: readonly [Int32Array, Int32Array];
}

/** What parts of the page know of a comparison: marks and places in the network they show. */
export interface Comparison {
  readonly names: readonly [string, string];
  readonly differences: readonly Difference[];
  readonly marks: Uint8Array;
  /** Where each difference is in the other one of two canvases; null if it is not there. */
  readonly elsewhere: (difference: Difference) => Item | null;
}

/** Compares two networks. */
export function comparisonOf(before: Network, after: Network, diff: WireDiff): Compared {
  const found = compare(before, after, diff);
  const { merged, fromBefore, fromAfter, inBefore, inAfter } = found;
  const own = Uint8Array.from(found.marks, (mark) => (MARKS[mark] === "renamed" ? 3 : mark));
  return {
    networks: [before, after],
    merged,
    mergedMarks: own,
    marks: [seenFrom(own, fromBefore), seenFrom(own, fromAfter)],
    differences: listed(merged, own, found.details, diff),
    inEach: [inBefore, inAfter],
    matches: [found.forward, found.backward],
  };
}

/** The comparison as seen from one of the two networks, or from the merged one (2). */
export function seenBy(compared: Compared, which: 0 | 1 | 2): Comparison {
  const { networks, differences, marks, mergedMarks, inEach } = compared;
  const names = [networks[0].name, networks[1].name] as const;
  if (which === 2) {
    return { names, differences, marks: mergedMarks, elsewhere: () => null };
  }
  const other = which === 0 ? 1 : 0;
  const places = new Map<Difference, Item>();
  const place = (item: Item | null) =>
    item === null || inEach[which][item] < 0 ? null : inEach[which][item];
  const own = differences.map((one) => {
    const here = { ...one, item: place(one.item) };
    const there = one.item === null ? -1 : inEach[other][one.item];
    if (there >= 0) places.set(here, there);
    return here;
  });
  return {
    names,
    differences: own,
    marks: marks[which],
    elsewhere: (difference) => places.get(difference) ?? null,
  };
}

function seenFrom(marks: Uint8Array, places: Int32Array): Uint8Array {
  return Uint8Array.from(places, (item) => (item < 0 ? 0 : marks[item]));
}

/** All differences, each once: those with a place first, in the order of the network. */
function listed(
  { enter, parent }: Network,
  marks: Uint8Array,
  details: ReadonlyMap<Item, readonly Details[]>,
  diff: WireDiff,
): Difference[] {
  const found: Difference[] = [];
  const seen = new Set<Details>();
  const keys = new Set<string>();
  const told = new Set<Item>();
  for (const [item, those] of details) {
    if (those.some(({ what, kind }) => COMES.includes(kind) && what !== "parameter"))
      told.add(item);
  }
  const items = [...details.keys()].sort((one, other) => enter[one] - enter[other]);
  for (const item of items) {
    for (const one of details.get(item) ?? []) {
      if (seen.has(one)) continue;
      seen.add(one);
      keys.add(keyOf(one));
      const mark = marks[item];
      const whole = COMES.includes(one.kind) && (mark === 1 || mark === 2);
      const around = parent[item];
      const outer = around >= 0 && marks[around] === mark && told.has(around);
      found.push({
        ...one,
        item,
        implied: whole && (outer || (one.what === "parameter" && told.has(item))),
      });
    }
  }
  for (const change of diff.changes) {
    const one = detailsOf(change);
    if (!keys.has(keyOf(one))) found.push({ ...one, item: null, implied: false });
  }
  return found;
}

/** Kinds of differences that are of a thing as a whole. */
const COMES: readonly Details["kind"][] = ["added", "removed"];

function keyOf({ what, kind, before, after }: Details): string {
  return JSON.stringify([what, kind, before, after]);
}
