/**
 * The strips that are put beside each other: lanes with their boxes and the wires above and below
 * them, and buses. Numbers in flat arrays, since there can be a hundred thousand.
 */

import { isFed, isNear, type Shifts } from "./beside";
import type { Lanes, Ways } from "./lanes";
import type { Levels } from "./levels";
import type { Task } from "./sheet";

/** Strips, and the parts that they consist of. */
export interface Strips {
  /** The lane of each strip, -1 for a bus. */
  readonly lane: number[];
  /** Which side of the trunk: -1 left, 1 right. */
  readonly side: number[];
  /** Where it would be straight, relative to the trunk; NaN if that is all the same. */
  readonly wish: number[];
  /** Which of two alike is nearer to the trunk. */
  readonly order: number[];
  /** Links of buses, and the strip of each. */
  readonly links: number[];
  readonly linkStrip: number[];
  /** Parts of strip `s` are `firstPart[s] … firstPart[s + 1] - 1`. */
  readonly firstPart: number[];
  /** A part lies between two heights, and reaches out left and right of the strip's x. */
  readonly from: number[];
  readonly to: number[];
  readonly left: number[];
  readonly right: number[];
}

/** Least space above and below a box. */
const MARGIN = 4;

/** What counts as a wide box: there is room for others below it, on both sides of its wire. */
const WIDE = 400;

/** What strips are made from. */
export interface Around {
  readonly task: Task;
  readonly ways: Ways;
  readonly lanes: Lanes;
  readonly levels: Levels;
  readonly feeder: Int32Array;
  readonly sides: Int8Array;
  readonly shifts: Shifts;
}

/** The strips of all lanes, the trunk first, and of all buses. */
export function stripsOf(around: Around): Strips {
  const strips: Strips = {
    lane: [],
    side: [],
    wish: [],
    order: [],
    links: [],
    linkStrip: [],
    firstPart: [0],
    from: [],
    to: [],
    left: [],
    right: [],
  };
  for (let lane = 0; lane < around.lanes.head.length; lane++) addLane(strips, around, lane);
  for (let vertex = 0; vertex < around.ways.vertices; vertex++) addBuses(strips, around, vertex);
  for (const link of around.ways.back) addBack(strips, around, link);
  return strips;
}

function part(strips: Strips, from: number, to: number, left: number, right: number): void {
  strips.from.push(from);
  strips.to.push(to);
  strips.left.push(left);
  strips.right.push(right);
}

/** A wire from one height to another, but for where it bends beside its ends. */
function wire(strips: Strips, from: number, to: number, at: number): void {
  const middle = (from + to) / 2;
  const low = Math.min(from + MARGIN + 1, middle - 1);
  part(strips, low, Math.max(to - MARGIN - 1, middle + 1), -at, at);
}

/** Ends a strip: the parts since the last one are its own. */
function strip(strips: Strips, lane: number, side: number, wish: number, order: number): number {
  strips.lane.push(lane);
  strips.side.push(side);
  strips.wish.push(wish);
  strips.order.push(side < 0 ? -order : order);
  return strips.firstPart.push(strips.from.length) - 2;
}

function addLane(strips: Strips, around: Around, lane: number): void {
  const { task, ways, lanes, levels, feeder, sides, shifts } = around;
  const head = lanes.head[lane];
  const tail = lanes.tail[lane];
  if (feeder[lane] >= 0) wire(strips, levels.below[feeder[lane]], levels.above[head], 0);
  for (let vertex = head; vertex >= 0; vertex = lanes.next[vertex]) {
    const box = vertex - task.inPorts;
    const isBox = box >= 0 && box < task.boxes;
    const from = levels.above[vertex];
    const to = Math.max(levels.below[vertex], from + 1);
    const left = (isBox ? task.inAxis[box] : 0) - shifts.enter[vertex];
    part(strips, from - MARGIN, to + MARGIN, left, (isBox ? task.width[box] : 0) - left);
    const below = lanes.next[vertex];
    // Where the trunk runs straight, nothing comes closer to it than its boxes anyway.
    const needed = lane > 0 || shifts.enter[vertex] !== 0;
    if (below >= 0 && needed) wire(strips, to, levels.above[below], shifts.enter[below]);
  }
  if (lane === 0) {
    strip(strips, lane, 1, Number.NaN, head);
    return;
  }
  if (carries(around, lane)) {
    wire(strips, levels.below[tail], lastBelow(task, ways, levels, tail), shifts.leave[tail]);
  }
  // A single port stands in line with what it is linked to.
  const port = head === tail && (head < task.inPorts || head >= task.inPorts + task.boxes);
  const lists = head < task.inPorts ? ways.out : ways.in;
  const links = port ? lists.values.subarray(lists.start[head], lists.start[head + 1]) : [];
  const wish = wishOf(task, lanes, shifts, links);
  // What enters side by side stays in the order of the boxes that it enters.
  const first = head < task.inPorts && head !== tail ? lanes.next[head] : head;
  strip(strips, lane, Math.sign(wish) || sides[lane], wish, first);
}

/**
 * Whether a lane goes on down to all that its last vertex leads to. Below a box that is wide and
 * far above them, a bus closer to the trunk does instead.
 */
function carries({ task, ways, lanes, levels, shifts }: Around, lane: number): boolean {
  const tail = lanes.tail[lane];
  const box = tail - task.inPorts;
  if (box < 0 || box >= task.boxes || task.outAxis[box] < WIDE / 2) return true;
  const last = lastBelow(task, ways, levels, tail);
  return last - levels.below[tail] < task.width[box] || shifts.leave[tail] !== shifts.enter[tail];
}

/** Buses: for each end that links leave a vertex from, one for all that no lane carries. */
function addBuses(strips: Strips, around: Around, vertex: number): void {
  const { task, ways, lanes, levels, feeder, sides, shifts } = around;
  const own = lanes.of[vertex];
  if (own > 0 && lanes.next[vertex] < 0 && carries(around, own)) return;
  const ends: number[] = [];
  const byEnd: number[][] = [];
  for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
    const link = ways.out.values[at];
    const below = task.to[link];
    if (lanes.next[vertex] === below || isFed(lanes, feeder, vertex, below)) continue;
    if (isNear(levels, vertex, below)) continue;
    const end = Number.isNaN(task.fromAt[link]) ? -1 : task.fromAt[link];
    const known = ends.indexOf(end);
    if (known >= 0) byEnd[known].push(link);
    else {
      ends.push(end);
      byEnd.push([link]);
    }
  }
  for (const links of byEnd) {
    let to = levels.below[vertex] + 1;
    let targets = 0;
    for (const link of links) {
      to = Math.max(to, levels.above[task.to[link]]);
      targets += sides[lanes.of[task.to[link]]];
    }
    const wish = wishOf(task, lanes, shifts, links);
    const side = Math.sign(wish) || sides[own] || Math.sign(targets) || 1;
    wire(strips, levels.below[vertex], to, 0);
    bus(strips, links, strip(strips, -1, side, wish, vertex));
  }
}

/** A link that leads back up runs on the left, from below its source to above its target. */
function addBack(strips: Strips, { task, levels }: Around, link: number): void {
  const from = levels.above[task.to[link]] - levels.roomAbove[task.to[link]] / 2;
  const to = levels.below[task.from[link]] + levels.roomBelow[task.from[link]] / 2;
  part(strips, Math.min(from, to - 1), to, 0, 0);
  bus(strips, [link], strip(strips, -1, -1, Number.NaN, link));
}

function bus(strips: Strips, links: readonly number[], number: number): void {
  for (const link of links) {
    strips.links.push(link);
    strips.linkStrip.push(number);
  }
}

/** How far down the lowest vertex that one leads to begins. */
function lastBelow(task: Task, ways: Ways, levels: Levels, vertex: number): number {
  let last = levels.below[vertex];
  for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
    last = Math.max(last, levels.above[task.to[ways.out.values[at]]]);
  }
  return last;
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
