/** How high boxes stand in 3D. */

import type { Heights } from "./drawing";
import { boxShowing, type Ghosts, type Scenery, scopeOfWire } from "./motion";
import type { Dimension } from "./stage";

/** Height of a storey and of a box on it in pixels, while there are few storeys. */
const STOREY = 15;
const BODY = 12;
/** All storeys together are at most this high. */
const HIGHEST = 900;
/** Height of the largest volume. */
const LARGEST = 120;

/** Base and top of all boxes: flat in 2D, a storey for each scope, or bodies by `volume`. */
export function heightsOf(
  scenery: Scenery,
  dimension: Dimension,
  volume: (box: number) => number,
): Heights {
  const { picture, nest } = scenery;
  const { boxes, wires } = picture;
  const count = boxes.item.length;
  const base = new Float32Array(count);
  const top = new Float32Array(count);
  const wire = new Float32Array(wires.source.length);
  if (dimension === "2d") return { base, top, wire };
  const tall =
    dimension === "volume" ? spread(count, (box) => boxes.open[box] === 0, volume) : null;
  let deepest = 1;
  for (let box = 0; box < count; box++) deepest = Math.max(deepest, boxes.depth[box]);
  const storey = dimension === "nesting" ? Math.min(STOREY, HIGHEST / deepest) : 3;
  for (let box = 0; box < count; box++) {
    const around = nest.parent[box];
    base[box] = around < 0 ? 0 : top[around];
    if (boxes.open[box] === 1) top[box] = base[box] + storey;
    else if (tall === null) top[box] = base[box] + Math.min(BODY, storey);
    else top[box] = base[box] + 2 + LARGEST * tall(box);
  }
  for (let at = 0; at < wire.length; at++) {
    const scope = scopeOfWire(
      nest,
      boxShowing(picture, wires.source[at]),
      boxShowing(picture, wires.target[at]),
    );
    wire[at] = (scope < 0 ? 0 : top[scope]) + 0.8;
  }
  return { base, top, wire };
}

/** Spreads the values of a picture over all of 0 to 1, so that one sees how they differ. */
function spread(
  count: number,
  counts: (box: number) => boolean,
  volume: (box: number) => number,
): (box: number) => number {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let box = 0; box < count; box++) {
    const value = counts(box) ? volume(box) : 0;
    if (!(value > 0)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  // The smallest is not flat: only what has no volume is.
  const zero = most > least ? least - 0.12 * (most - least) : 0;
  return (box) => {
    const value = volume(box);
    return value > 0 && most > zero ? Math.min((value - zero) / (most - zero), 1) : 0;
  };
}

/** Heights on the way from one to another. */
export function heightsBetween(from: Heights, to: Heights, t: number): Heights {
  const mix = (a: Float32Array, b: Float32Array) => {
    const result = new Float32Array(b.length);
    for (let i = 0; i < b.length; i++) result[i] = a[i] + (b[i] - a[i]) * t;
    return result;
  };
  return {
    base: mix(from.base, to.base),
    top: mix(from.top, to.top),
    wire: mix(from.wire, to.wire),
  };
}

/**
 * How high boxes stand when one picture follows another, at first and in the end; those that
 * leave come after those of the new picture. What is new grows out of the scope around it, what
 * leaves sinks into the one that it was in.
 */
export function heightMotion(
  old: Scenery,
  now: Heights,
  next: Scenery,
  to: Heights,
  ghosts: Ghosts,
): { readonly low: Heights; readonly high: Heights } {
  const { item } = next.picture.boxes;
  const count = item.length;
  const low = empty(count + ghosts.boxes.length, to.wire.length);
  const high = empty(count + ghosts.boxes.length, to.wire.length);
  high.base.set(to.base);
  high.top.set(to.top);
  high.wire.set(to.wire);
  for (let box = 0; box < count; box++) {
    const before = boxShowing(old.picture, item[box]);
    const around = next.nest.parent[box];
    const ground = around < 0 ? 0 : low.top[around];
    low.base[box] = before >= 0 ? now.base[before] : ground;
    low.top[box] = before >= 0 ? now.top[before] : ground;
  }
  const { source, target } = next.picture.wires;
  for (let wire = 0; wire < to.wire.length; wire++) {
    const scope = scopeOfWire(
      next.nest,
      boxShowing(next.picture, source[wire]),
      boxShowing(next.picture, target[wire]),
    );
    // What runs in a scope lies on it, before as after.
    low.wire[wire] = (scope < 0 ? 0 : low.top[scope]) + 0.8;
  }
  // Boxes are in preorder: where an outer one goes is known before what is in it.
  const gone = new Float32Array(old.picture.boxes.item.length);
  for (let i = 0; i < ghosts.boxes.length; i++) {
    const box = ghosts.boxes[i];
    const around = old.nest.parent[box];
    const stays = around < 0 ? -1 : boxShowing(next.picture, old.picture.boxes.item[around]);
    gone[box] = around < 0 ? 0 : stays >= 0 ? to.top[stays] : gone[around];
    low.base[count + i] = now.base[box];
    low.top[count + i] = now.top[box];
    high.base[count + i] = gone[box];
    high.top[count + i] = gone[box];
  }
  return { low, high };
}

function empty(boxes: number, wires: number): Heights {
  return {
    base: new Float32Array(boxes),
    top: new Float32Array(boxes),
    wire: new Float32Array(wires),
  };
}

/** Height of the highest box. */
export function topMost(heights: Heights): number {
  let highest = 0;
  for (const top of heights.top) highest = Math.max(highest, top);
  return highest;
}
