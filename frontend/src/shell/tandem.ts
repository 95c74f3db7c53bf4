/** Two canvases side by side that move in step: what is open, what is selected, and the camera. */

import type { Item } from "../graph/network";
import { runFirst } from "../view/opening";
import type { State } from "../view/state";
import type { View } from "../view/store";
import type { Viewer } from "./viewer";

/** Items of one network in the other, -1 for none: from the first to the second, and back. */
export type Matches = readonly [Int32Array, Int32Array];

/** Keeps two views in step; gives what ends that. */
export function linkViews(views: readonly [View, View], matches: Matches): () => void {
  let following = false;
  const follow = (from: 0 | 1) => (now: State, before: State) => {
    if (following) return;
    const to = from === 0 ? 1 : 0;
    const other = views[to].store;
    const there = other.getState();
    following = true;
    // Both have the same steps, each with its own places: what only the one has is kept so.
    const leaving = now.steps !== before.steps;
    if (!leaving && now.at !== before.at && views[to].actions.travel(now.at - before.at)) {
      following = false;
      return;
    }
    const change: { -readonly [name in keyof State]?: State[name] } = {};
    const match = (item: Item | null) =>
      item === null || matches[from][item] < 0 ? null : matches[from][item];
    if (now.open !== before.open) {
      change.open = carried(now.open, there.open, matches[from], matches[to], (item) => item);
      change.anchor = match(now.anchor);
    }
    if (now.unfolded !== before.unfolded) {
      const first = (item: Item) => runFirst(views[to].network, item);
      change.unfolded = carried(now.unfolded, there.unfolded, matches[from], matches[to], first);
    }
    if (now.selected !== before.selected) change.selected = match(now.selected);
    if (now.hovered !== before.hovered) change.hovered = match(now.hovered);
    if (now.colourBy !== before.colourBy) change.colourBy = now.colourBy;
    if (now.dimension !== before.dimension) change.dimension = now.dimension;
    if (now.trace !== before.trace) {
      const start = now.trace === null ? null : match(now.trace.from);
      const end = now.trace?.kind === "path" ? match(now.trace.to) : null;
      if (now.trace === null || start === null) change.trace = null;
      else if (now.trace.kind !== "path") change.trace = { kind: now.trace.kind, from: start };
      else change.trace = end === null ? null : { kind: "path", from: start, to: end };
    }
    if (leaving) views[to].actions.step(change);
    else if (Object.keys(change).length > 0) other.setState(change);
    following = false;
  };
  const ends = [views[0].store.subscribe(follow(0)), views[1].store.subscribe(follow(1))];
  return () => {
    for (const end of ends) end();
  };
}

/** A set as the other network has it; what only the other has stays as it is there. */
function carried(
  items: ReadonlySet<Item>,
  there: ReadonlySet<Item>,
  forth: Int32Array,
  back: Int32Array,
  place: (item: Item) => Item,
): ReadonlySet<Item> {
  const next = new Set<Item>();
  for (const item of items) if (forth[item] >= 0) next.add(place(forth[item]));
  for (const item of there) if (back[item] < 0) next.add(item);
  const same = next.size === there.size && [...next].every((item) => there.has(item));
  return same ? there : next;
}

/**
 * Makes one camera follow the other: the box nearest to the middle of the leading picture and its
 * match stand at the same place. `leader` tells which of the two leads just now.
 */
export function linkCameras(
  viewers: readonly [Viewer, Viewer],
  matches: Matches,
  leader: () => 0 | 1,
): () => void {
  let pairs: { a: Float64Array; b: Float64Array } | null = null;
  const pair = () => {
    const [one, other] = [viewers[0].picture(), viewers[1].picture()];
    pairs = one && other ? pairsOf(viewers, matches[0]) : null;
    follow(leader());
  };
  const follow = (from: 0 | 1) => {
    if (from !== leader() || !pairs || pairs.a.length === 0) return;
    const camera = viewers[from].camera();
    const [own, theirs] = from === 0 ? [pairs.a, pairs.b] : [pairs.b, pairs.a];
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < own.length; at += 2) {
      const distance = (own[at] - camera.x) ** 2 + (own[at + 1] - camera.y) ** 2;
      if (distance < least) {
        least = distance;
        best = at;
      }
    }
    viewers[from === 0 ? 1 : 0].stage.setCamera(
      {
        x: theirs[best] + camera.x - own[best],
        y: theirs[best + 1] + camera.y - own[best + 1],
        zoom: camera.zoom,
      },
      { animate: false },
    );
  };
  const ends = [
    viewers[0].onPicture(pair),
    viewers[1].onPicture(pair),
    viewers[0].onCamera(() => follow(0)),
    viewers[1].onCamera(() => follow(1)),
  ];
  pair();
  return () => {
    for (const end of ends) end();
  };
}

/** Middles of the boxes that both pictures have, as x and y in turn. */
function pairsOf(viewers: readonly [Viewer, Viewer], forth: Int32Array) {
  const [one, other] = [viewers[0].picture(), viewers[1].picture()];
  const a: number[] = [];
  const b: number[] = [];
  if (one && other) {
    for (let box = 0; box < one.boxes.item.length; box += 1) {
      const match: Item = forth[one.boxes.item[box]];
      const place = match < 0 ? -1 : other.boxOf[match];
      if (place < 0 || other.boxes.item[place] !== match || one.boxes.open[box] === 1) continue;
      a.push(
        one.boxes.x[box] + one.boxes.width[box] / 2,
        one.boxes.y[box] + one.boxes.height[box] / 2,
      );
      b.push(
        other.boxes.x[place] + other.boxes.width[place] / 2,
        other.boxes.y[place] + other.boxes.height[place] / 2,
      );
    }
  }
  return { a: Float64Array.from(a), b: Float64Array.from(b) };
}
