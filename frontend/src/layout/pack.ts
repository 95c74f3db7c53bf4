/** Puts lanes beside each other: the trunk in the middle, what is short close to it. */

import type { Lanes, Ways } from "./lanes";
import type { Levels } from "./levels";
import { BESIDE, type Task, TRACK } from "./sheet";
import { type Skyline, skyline } from "./skyline";

/** Where lanes and buses stand. A bus carries what leaves a vertex past what is below it. */
export interface Packing {
  /** x of each lane. */
  readonly lane: Float64Array;
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
  readonly order: number;
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

/** Finds a place for each lane and bus so that no two overlap. */
export function pack(
  task: Task,
  ways: Ways,
  lanes: Lanes,
  levels: Levels,
  feeder: Int32Array,
): Packing {
  const sides = sidesOf(task, ways, lanes, feeder);
  const strips = [
    ...laneStrips(task, ways, lanes, levels, feeder, sides),
    ...busStrips(task, ways, lanes, levels, feeder, sides),
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
  inOrder.sort((a, b) => a.span - b.span || a.strip.order - b.strip.order);
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
  return { lane, bus };
}

/** The x nearest to the trunk, on a strip's side, at which it touches nothing. */
function put(strip: Strip, place: Map<number, number>, line: Skyline): number {
  let out = 0;
  for (const part of strip.parts) {
    const from = 2 * (place.get(part.from) as number) + 1;
    const to = 2 * (place.get(part.to) as number) - 1;
    const inner = strip.side < 0 ? part.right : part.left;
    const reached = line.reach(from, to);
    out = Math.max(out, reached + inner + (inner > 0 ? BESIDE : TRACK));
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
): Strip[] {
  return lanes.head.map((head, lane) => {
    const parts: Part[] = [];
    const line = (from: number, to: number) => {
      if (to > from) parts.push({ from, to, left: 0, right: 0 });
    };
    if (feeder[lane] >= 0) line(levels.below[feeder[lane]], levels.above[head]);
    for (let vertex = head; vertex >= 0; vertex = lanes.next[vertex]) {
      const box = vertex - task.inPorts;
      const isBox = box >= 0 && box < task.boxes;
      const from = levels.above[vertex];
      const to = Math.max(levels.below[vertex], from + 1);
      const left = isBox ? task.inAxis[box] : 0;
      parts.push({ from, to, left, right: isBox ? task.width[box] - left : 0 });
      const below = lanes.next[vertex];
      if (below >= 0) line(to, levels.above[below]);
    }
    const tail = lanes.tail[lane];
    if (lane > 0) line(levels.below[tail], lastBelow(task, ways, levels, tail));
    return { lane, links: [], parts, side: sides[lane], order: sides[lane] < 0 ? -head : head };
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
      const side = sides[own] || Math.sign(targets) || 1;
      strips.push({
        lane: -1,
        links,
        parts: [{ from: levels.below[vertex], to, left: 0, right: 0 }],
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
  return { lane: -1, links: [link], parts: [part], side: -1, order: link };
}

/** Whether a vertex is the head of a lane that another feeds. */
export function isFed(lanes: Lanes, feeder: Int32Array, from: number, vertex: number): boolean {
  const lane = lanes.of[vertex];
  return lanes.head[lane] === vertex && feeder[lane] === from;
}
