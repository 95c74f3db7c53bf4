/** Puts lanes beside each other: the trunk in the middle, what is short close to it. */

import type { Lanes, Ways } from "./lanes";
import type { Levels } from "./levels";
import { BESIDE, type Task, TRACK } from "./sheet";
import { type Skyline, skyline } from "./skyline";

/** Where lanes and buses stand. A bus carries what leaves a vertex past what is below it. */
export interface Packing {
  /** x at which the lane enters each vertex, and at which it goes on below. */
  readonly enter: Float64Array;
  readonly leave: Float64Array;
  /** x of the bus of each link that takes one, NaN for the others. */
  readonly bus: Float64Array;
}

/** A part of a strip: between two heights it reaches this far left and right of the strip's x. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
}

/** A lane, or the bus of some links. */
interface Strip {
  readonly lane: number;
  readonly links: readonly number[];
  readonly parts: Part[];
  readonly side: number;
  /** Where it would be straight, relative to the trunk; NaN if that is all the same. */
  readonly wish: number;
  readonly order: number;
}

/** Least space above and below a box. */
const MARGIN = 4;

/** The heights between which a wire from one vertex to another needs its place. */
function between(from: number, to: number): { readonly from: number; readonly to: number } {
  const middle = (from + to) / 2;
  return {
    from: Math.min(from + MARGIN + 1, middle - 1),
    to: Math.max(to - MARGIN - 1, middle + 1),
  };
}

/** The vertex that feeds each lane from above, -1 for none. */
export function feedersOf(task: Task, ways: Ways, lanes: Lanes, levels: Levels): Int32Array {
  const feeder = new Int32Array(lanes.head.length).fill(-1);
  for (let lane = 1; lane < lanes.head.length; lane++) {
    const head = lanes.head[lane];
    for (let at = ways.in.start[head]; at < ways.in.start[head + 1]; at++) {
      const other = task.from[ways.in.values[at]];
      if (feeder[lane] < 0 || levels.bottom[other] > levels.bottom[feeder[lane]])
        feeder[lane] = other;
    }
  }
  return feeder;
}

/** How far from its lane's x each vertex is entered and left: a box may shift what is below it. */
interface Shifts {
  readonly enter: Float64Array;
  readonly leave: Float64Array;
}

/**
 * A box that is left elsewhere than it is entered, such as one of several columns, shifts what
 * follows it in its lane, as far as that does not reach out further than the boxes before.
 */
function shiftsOf(task: Task, lanes: Lanes): Shifts {
  const enter = new Float64Array(lanes.of.length);
  const leave = new Float64Array(lanes.of.length);
  for (const head of lanes.head) {
    let shift = 0;
    let right = 0;
    for (let vertex = head; vertex >= 0; vertex = lanes.next[vertex]) {
      const box = vertex - task.inPorts;
      const isBox = box >= 0 && box < task.boxes;
      const wide = isBox ? task.width[box] - task.inAxis[box] : 0;
      if (shift !== 0 && isBox && shift + wide > right + 1) shift = 0;
      enter[vertex] = shift;
      right = Math.max(right, shift + wide);
      if (isBox) shift += task.outAxis[box] - task.inAxis[box];
      leave[vertex] = shift;
    }
  }
  return { enter, leave };
}

/** Where links would run straight from or to a port of an open box on the trunk; NaN if nowhere. */
function wishOf(task: Task, lanes: Lanes, shifts: Shifts, links: ArrayLike<number>): number {
  let wish = Number.NaN;
  for (let at = 0; at < links.length; at++) {
    const link = links[at];
    const from = task.from[link];
    const to = task.to[link];
    if (lanes.of[from] === 0 && !Number.isNaN(task.fromAt[link])) {
      return shifts.enter[from] + task.fromAt[link] - task.inAxis[from - task.inPorts];
    }
    if (lanes.of[to] === 0 && !Number.isNaN(task.toAt[link]) && Number.isNaN(wish)) {
      wish = shifts.enter[to] + task.toAt[link] - task.inAxis[to - task.inPorts];
    }
  }
  return wish;
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
  const strips = [
    ...laneStrips(task, ways, lanes, levels, feeder, sides, shifts),
    ...busStrips(task, ways, lanes, levels, feeder, sides, shifts),
  ];
  const heights = [
    ...new Set(strips.flatMap((strip) => strip.parts.flatMap((part) => [part.from, part.to]))),
  ];
  heights.sort((a, b) => a - b);
  const place = new Map(heights.map((height, at) => [height, at]));
  // Places are the heights and the stretches between them.
  const right = skyline(heights.length * 2);
  const left = skyline(heights.length * 2);
  const lane = new Float64Array(lanes.head.length);
  const bus = new Float64Array(task.from.length).fill(Number.NaN);
  const span = (strip: Strip) =>
    strip.parts.reduce((most, part) => Math.max(most, part.to), Number.NEGATIVE_INFINITY) -
    strip.parts.reduce((least, part) => Math.min(least, part.from), Number.POSITIVE_INFINITY);
  const inOrder = strips.map((strip) => ({ strip, span: strip.lane === 0 ? -1 : span(strip) }));
  inOrder.sort(
    (a, b) =>
      a.span - b.span ||
      Math.abs(a.strip.wish || 0) - Math.abs(b.strip.wish || 0) ||
      a.strip.order - b.strip.order,
  );
  for (const { strip } of inOrder) {
    const x = strip.lane === 0 ? 0 : put(strip, place, strip.side < 0 ? left : right);
    for (const part of strip.parts) {
      const from = 2 * (place.get(part.from) as number) + 1;
      const to = 2 * (place.get(part.to) as number) - 1;
      right.raise(from, to, x + part.right);
      left.raise(from, to, part.left - x);
    }
    if (strip.lane >= 0) lane[strip.lane] = x;
    for (const link of strip.links) bus[link] = x;
  }
  return {
    enter: shifts.enter.map((shift, vertex) => lane[lanes.of[vertex]] + shift),
    leave: shifts.leave.map((shift, vertex) => lane[lanes.of[vertex]] + shift),
    bus,
  };
}

/** The x nearest to the trunk, on a strip's side, at which it touches nothing. */
function put(strip: Strip, place: Map<number, number>, line: Skyline): number {
  let out = Math.max(0, strip.side * (strip.wish || 0));
  for (const part of strip.parts) {
    const from = 2 * (place.get(part.from) as number) + 1;
    const to = 2 * (place.get(part.to) as number) - 1;
    const inner = strip.side < 0 ? part.right : part.left;
    const reached = line.reach(from, to);
    out = Math.max(out, reached + inner + (part.left + part.right > 0 ? BESIDE : TRACK));
  }
  return strip.side < 0 ? -out : out;
}

/** On which side of the trunk each lane stands: -1 left, 1 right, 0 for the trunk. */
function sidesOf(task: Task, ways: Ways, lanes: Lanes, feeder: Int32Array): Int8Array {
  const side = new Int8Array(lanes.head.length);
  const firstOut = task.inPorts + task.boxes;
  for (let lane = 1; lane < lanes.head.length; lane++) {
    const head = lanes.head[lane];
    const from = feeder[lane];
    if (from < 0) {
      const port = head < task.inPorts;
      side[lane] = port && head > lanes.head[0] ? 1 : -1;
      continue;
    }
    const around = side[lanes.of[from]];
    const beside = lanes.next[from];
    side[lane] = around !== 0 ? around : head < firstOut && beside >= 0 && head < beside ? -1 : 1;
  }
  // What nothing feeds stands where it is needed.
  for (let lane = 1; lane < lanes.head.length; lane++) {
    if (feeder[lane] >= 0) continue;
    const wanted = sideOfTargets(task, ways, lanes, side, lanes.tail[lane]);
    if (wanted !== 0) side[lane] = wanted;
  }
  return side;
}

function sideOfTargets(
  task: Task,
  ways: Ways,
  lanes: Lanes,
  side: Int8Array,
  vertex: number,
): number {
  let sum = 0;
  for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
    sum += side[lanes.of[task.to[ways.out.values[at]]]];
  }
  return Math.sign(sum);
}

function laneStrips(
  task: Task,
  ways: Ways,
  lanes: Lanes,
  levels: Levels,
  feeder: Int32Array,
  sides: Int8Array,
  shifts: Shifts,
): Strip[] {
  return lanes.head.map((head, lane) => {
    const parts: Part[] = [];
    const line = (from: number, to: number, at: number) => {
      parts.push({ ...between(from, to), left: -at, right: at });
    };
    if (feeder[lane] >= 0) line(levels.below[feeder[lane]], levels.above[head], 0);
    for (let vertex = head; vertex >= 0; vertex = lanes.next[vertex]) {
      const box = vertex - task.inPorts;
      const isBox = box >= 0 && box < task.boxes;
      const from = levels.above[vertex];
      const to = Math.max(levels.below[vertex], from + 1);
      const left = (isBox ? task.inAxis[box] : 0) - shifts.enter[vertex];
      const right = (isBox ? task.width[box] : 0) - left;
      parts.push({ from: from - MARGIN, to: to + MARGIN, left, right });
      const below = lanes.next[vertex];
      if (below >= 0) line(to, levels.above[below], shifts.enter[below]);
    }
    const tail = lanes.tail[lane];
    if (lane > 0) {
      line(levels.below[tail], lastBelow(task, ways, levels, tail), shifts.leave[tail]);
    }
    // A single port stands in line with what it is linked to.
    const port = head === tail && (head < task.inPorts || head >= task.inPorts + task.boxes);
    const lists = head < task.inPorts ? ways.out : ways.in;
    const links = port ? lists.values.subarray(lists.start[head], lists.start[head + 1]) : [];
    const wish = lane === 0 ? Number.NaN : wishOf(task, lanes, shifts, links);
    const side = Math.sign(wish) || sides[lane];
    return { lane, links: [], parts, side, wish, order: side < 0 ? -head : head };
  });
}

/** How far down the lowest vertex that one leads to begins. */
function lastBelow(task: Task, ways: Ways, levels: Levels, vertex: number): number {
  let last = levels.below[vertex];
  for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
    last = Math.max(last, levels.above[task.to[ways.out.values[at]]]);
  }
  return last;
}

/** Buses: for each end that links leave from, one for all that no lane carries. */
function busStrips(
  task: Task,
  ways: Ways,
  lanes: Lanes,
  levels: Levels,
  feeder: Int32Array,
  sides: Int8Array,
  shifts: Shifts,
): Strip[] {
  const strips: Strip[] = [];
  for (let vertex = 0; vertex < ways.vertices; vertex++) {
    const own = lanes.of[vertex];
    if (own > 0 && lanes.next[vertex] < 0) continue;
    const byEnd = new Map<number, number[]>();
    for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
      const link = ways.out.values[at];
      const below = task.to[link];
      if (lanes.next[vertex] === below || isFed(lanes, feeder, vertex, below)) continue;
      if (isNear(levels, vertex, below)) continue;
      const end = Number.isNaN(task.fromAt[link]) ? -1 : task.fromAt[link];
      const others = byEnd.get(end);
      if (others === undefined) byEnd.set(end, [link]);
      else others.push(link);
    }
    for (const links of byEnd.values()) {
      let to = levels.below[vertex] + 1;
      let targets = 0;
      for (const link of links) {
        to = Math.max(to, levels.above[task.to[link]]);
        targets += sides[lanes.of[task.to[link]]];
      }
      const wish = wishOf(task, lanes, shifts, links);
      const side = Math.sign(wish) || sides[own] || Math.sign(targets) || 1;
      strips.push({
        lane: -1,
        links,
        wish,
        parts: [{ ...between(levels.below[vertex], to), left: 0, right: 0 }],
        side,
        order: side < 0 ? -vertex : vertex,
      });
    }
  }
  for (const link of ways.back) strips.push(backStrip(task, levels, link));
  return strips;
}

/** A link that leads back up runs on the left, from below its source to above its target. */
function backStrip(task: Task, levels: Levels, link: number): Strip {
  const from = levels.above[task.to[link]] - levels.roomAbove[task.to[link]] / 2;
  const to = levels.below[task.from[link]] + levels.roomBelow[task.from[link]] / 2;
  const part = { from: Math.min(from, to - 1), to, left: 0, right: 0 };
  return { lane: -1, links: [link], parts: [part], side: -1, wish: Number.NaN, order: link };
}

/** Whether there is no room for a box between two vertices. */
export function isNear(levels: Levels, from: number, to: number): boolean {
  const room = Math.max(levels.roomBelow[from], levels.roomAbove[to]);
  return levels.above[to] - levels.below[from] < room + 1;
}

/** Whether a vertex is the head of a lane that another feeds. */
export function isFed(lanes: Lanes, feeder: Int32Array, from: number, vertex: number): boolean {
  const lane = lanes.of[vertex];
  return lanes.head[lane] === vertex && feeder[lane] === from;
}
