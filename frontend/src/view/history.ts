/** Back and forward among the places that one has been to. */

import type { Place } from "./state";

/** Places before and after the present one, the nearest last. */
export interface History {
  readonly past: readonly Place[];
  readonly future: readonly Place[];
}

const MOST_PLACES = 100;
/** Sets of open scopes are what takes memory: so many members are kept in all. */
const MOST_MEMBERS = 1_000_000;

/** Remembers a place that is being left; what was undone is forgotten. */
export function leave(history: History, place: Place): History {
  return { past: bounded([...history.past, place]), future: [] };
}

/** Steps back: the place to return to and the history there, or null at the beginning. */
export function back(history: History, present: Place): [Place, History] | null {
  const place = history.past.at(-1);
  if (!place) return null;
  return [place, { past: history.past.slice(0, -1), future: [...history.future, present] }];
}

/** Steps forward again, or null at the end. */
export function forward(history: History, present: Place): [Place, History] | null {
  const place = history.future.at(-1);
  if (!place) return null;
  return [place, { past: [...history.past, present], future: history.future.slice(0, -1) }];
}

/** Drops the oldest places. Sets that several places share are counted once. */
function bounded(places: Place[]): Place[] {
  const seen = new Set<ReadonlySet<number>>();
  let members = 0;
  for (let at = places.length - 1; at >= 0; at -= 1) {
    if (!seen.has(places[at].open)) members += places[at].open.size;
    seen.add(places[at].open);
    if (members > MOST_MEMBERS || places.length - at > MOST_PLACES) return places.slice(at + 1);
  }
  return places;
}
