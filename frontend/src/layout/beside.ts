/** How lanes relate to each other: what feeds them, on which side they stand, how they shift. */

import type { Lanes, Ways } from "./lanes";
import { type Levels, MANY } from "./levels";
import type { Task } from "./sheet";

/** The vertex whose wire runs down to each lane in line with it, -1 for none. */
export function feedersOf(task: Task, ways: Ways, lanes: Lanes, levels: Levels): Int32Array {
  const feeder = new Int32Array(lanes.head.length).fill(-1);
  for (let lane = 1; lane < lanes.head.length; lane++) {
    const head = lanes.head[lane];
    let best = -1;
    for (let at = ways.in.start[head]; at < ways.in.start[head + 1]; at++) {
      const other = task.from[ways.in.values[at]];
      if (best < 0 || levels.bottom[other] > levels.bottom[best]) best = other;
    }
    // One bus to many far away takes less room than a wire to each.
    const alone = best >= 0 && ways.out.start[best + 1] - ways.out.start[best] < MANY;
    if (alone || (best >= 0 && isNear(levels, best, head))) feeder[lane] = best;
  }
  return feeder;
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

/** On which side of the trunk each lane stands: -1 left, 1 right, 0 for the trunk. */
export function sidesOf(task: Task, ways: Ways, lanes: Lanes, feeder: Int32Array): Int8Array {
  const side = new Int8Array(lanes.head.length);
  const firstOut = task.inPorts + task.boxes;
  for (let lane = 1; lane < lanes.head.length; lane++) {
    const head = lanes.head[lane];
    const from = feeder[lane];
    if (from < 0) {
      const fed = ways.in.start[head + 1] > ways.in.start[head];
      side[lane] = fed || head < task.inPorts ? 1 : -1;
      continue;
    }
    const around = side[lanes.of[from]];
    const beside = lanes.next[from];
    side[lane] = around !== 0 ? around : head < firstOut && beside >= 0 && head < beside ? -1 : 1;
  }
  // What nothing feeds stands where it is needed; if that is the trunk, where there is less yet.
  let more = 0;
  for (let lane = 1; lane < lanes.head.length; lane++) {
    if (feeder[lane] >= 0) continue;
    const head = lanes.head[lane];
    const wanted = sideOfTargets(task, ways, lanes, side, lanes.tail[lane]);
    const isFree = ways.in.start[head + 1] === ways.in.start[head] && head >= task.inPorts;
    if (wanted !== 0) side[lane] = wanted;
    else if (isFree && head < firstOut) {
      side[lane] = more < 0 ? 1 : -1;
      more += side[lane] * task.width[head - task.inPorts];
    }
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

/** How far from its lane's x each vertex is entered and left: a box may shift what is below it. */
export interface Shifts {
  readonly enter: Float64Array;
  readonly leave: Float64Array;
}

/**
 * A box that is left elsewhere than it is entered, such as one of several columns, shifts what
 * follows it in its lane, as far as that does not reach out further than the boxes before.
 */
export function shiftsOf(task: Task, lanes: Lanes): Shifts {
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
