/** Puts lanes beside each other: the trunk in the middle, what is short close to it. */

import { shiftsOf, sidesOf } from "./beside";
import type { Lanes, Ways } from "./lanes";
import type { Levels } from "./levels";
import { BESIDE, type Task, TRACK } from "./sheet";
import { skyline } from "./skyline";
import { type Strips, stripsOf } from "./strips";

/** Least space at a wire that would have to bend to have more. */
const CLOSE = 6;

/** Where lanes and buses stand. A bus carries what leaves a vertex past what is below it. */
export interface Packing {
  /** x at which the lane enters each vertex, and at which it goes on below. */
  readonly enter: Float64Array;
  readonly leave: Float64Array;
  /** x of the bus of each link that takes one, NaN for the others. */
  readonly bus: Float64Array;
}

/** Finds a place for each lane and bus so that no two overlap. */
export function pack(
  task: Task,
  ways: Ways,
  lanes: Lanes,
  levels: Levels,
  feeder: Int32Array,
): Packing {
  const sides = sidesOf(task, ways, lanes, feeder);
  const shifts = shiftsOf(task, lanes);
  const strips = stripsOf({ task, ways, lanes, levels, feeder, sides, shifts });
  const x = placesOf(strips);
  const bus = new Float64Array(task.from.length).fill(Number.NaN);
  strips.links.forEach((link, at) => {
    bus[link] = x[strips.linkStrip[at]];
  });
  // The strips of lanes come first.
  return {
    enter: shifts.enter.map((shift, vertex) => x[lanes.of[vertex]] + shift),
    leave: shifts.leave.map((shift, vertex) => x[lanes.of[vertex]] + shift),
    bus,
  };
}

/** x of each strip: the trunk at 0, the others as near to it as what is shorter lets them. */
function placesOf(strips: Strips): Float64Array {
  const { count, first, last } = ranks(strips);
  const right = skyline(count);
  const left = skyline(count);
  const x = new Float64Array(strips.lane.length);
  for (const strip of inOrder(strips)) {
    const side = strips.side[strip];
    const start = strips.firstPart[strip];
    const end = strips.firstPart[strip + 1];
    if (strips.lane[strip] !== 0) {
      const wish = Math.max(0, side * (strips.wish[strip] || 0));
      let least = 0;
      let out = wish;
      for (let part = start; part < end; part++) {
        const inner = side < 0 ? strips.right[part] : strips.left[part];
        const isWire = strips.left[part] + strips.right[part] === 0;
        const reached = (side < 0 ? left : right).reach(first[part], last[part]);
        least = Math.max(least, reached + inner + (isWire ? CLOSE : BESIDE));
        out = Math.max(out, reached + inner + (isWire ? TRACK : BESIDE));
      }
      // A wire rather comes close to something than that it bends for a few pixels.
      x[strip] = side * (wish > 0 && wish >= least ? wish : out);
    }
    for (let part = start; part < end; part++) {
      right.raise(first[part], last[part], x[strip] + strips.right[part]);
      left.raise(first[part], last[part], strips.left[part] - x[strip]);
    }
  }
  return x;
}

/** The stretches between heights, numbered, and the first and last of each part. */
function ranks(strips: Strips) {
  const heights = Float64Array.from([...strips.from, ...strips.to]).sort();
  let distinct = 0;
  for (const height of heights) {
    if (distinct === 0 || height !== heights[distinct - 1]) heights[distinct++] = height;
  }
  const rank = (height: number): number => {
    let low = 0;
    let high = distinct;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (heights[middle] < height) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    count: Math.max(distinct, 1),
    first: Int32Array.from(strips.from, rank),
    last: Int32Array.from(strips.to, (height) => rank(height) - 1),
  };
}

/**
 * The trunk, then what is shorter before what is longer. Of those equally long, first as many as
 * do not stand beside each other, then again as many, so that they share columns.
 */
function inOrder(strips: Strips): Int32Array {
  const count = strips.lane.length;
  const top = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const span = new Float64Array(count);
  for (let strip = 0; strip < count; strip++) {
    let bottom = Number.NEGATIVE_INFINITY;
    for (let part = strips.firstPart[strip]; part < strips.firstPart[strip + 1]; part++) {
      top[strip] = Math.min(top[strip], strips.from[part]);
      bottom = Math.max(bottom, strips.to[part]);
    }
    span[strip] = strips.lane[strip] === 0 ? -1 : Math.round(bottom - top[strip]);
  }
  const wish = (strip: number) => Math.abs(strips.wish[strip] || 0);
  const order = Int32Array.from(strips.lane, (_, strip) => strip).sort(
    (a, b) =>
      span[a] - span[b] ||
      top[a] - top[b] ||
      wish(a) - wish(b) ||
      strips.order[a] - strips.order[b],
  );
  const column = columnsOf(order, span, top);
  return order
    .map((_, at) => at)
    .sort((a, b) => span[order[a]] - span[order[b]] || column[a] - column[b] || a - b)
    .map((at) => order[at]);
}

/** Numbers of columns in which strips of one length, sorted by their tops, do not overlap. */
function columnsOf(order: Int32Array, span: Float64Array, top: Float64Array): Int32Array {
  const column = new Int32Array(order.length);
  // Columns in the order in which they become free, which is that of the strips in them.
  let taken: number[] = [];
  let free = 0;
  let columns = 0;
  for (let at = 0; at < order.length; at++) {
    const strip = order[at];
    if (at === 0 || span[strip] !== span[order[at - 1]]) {
      taken = [];
      free = 0;
      columns = 0;
    }
    const first = free < taken.length ? taken[free] : -1;
    if (first >= 0 && top[order[first]] + span[strip] <= top[strip]) {
      column[at] = column[first];
      free++;
    } else column[at] = columns++;
    taken.push(at);
  }
  return column;
}
