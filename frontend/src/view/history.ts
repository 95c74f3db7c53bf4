/** Back and forward among the places that one has been to. */

import type { Stop } from "./state";

/** Places before and after the present one, the nearest last. */
export interface History {
  readonly past: readonly Stop[];
  readonly future: readonly Stop[];
}

const MOST_PLACES = 100;
/** Sets of open scopes are what takes memory: so many members are kept in all. */
const MOST_MEMBERS = 1_000_000;

/** Remembers a place that is being left; what was undone is forgotten. */
export function leave(history: History, stop: Stop): History {
  return { past: bounded([...history.past, stop]), future: [] };
}

/**
 * Goes so many steps back, if the number is below 0, or forward: the place to return to and the
 * history there. Null if there are not so many.
 */
export function travel(history: History, present: Stop, steps: number): [Stop, History] | null {
  const [from, to] = steps < 0 ? [history.past, history.future] : [history.future, history.past];
  const at = from.length - Math.abs(steps);
  if (at < 0 || steps === 0) return null;
  const rest = from.slice(0, at);
  const passed = [...to, present, ...from.slice(at + 1).reverse()];
  const left = steps < 0 ? { past: rest, future: passed } : { past: passed, future: rest };
  return [from[at], left];
}

/** Drops the oldest places. Sets that several places share are counted once. */
function bounded(places: Stop[]): Stop[] {
  const seen = new Set<ReadonlySet<number>>();
  let members = 0;
  for (let at = places.length - 1; at >= 0; at -= 1) {
    if (!seen.has(places[at].open)) members += places[at].open.size;
    seen.add(places[at].open);
    if (members > MOST_MEMBERS || places.length - at > MOST_PLACES) return places.slice(at + 1);
  }
  return places;
}
