/** How far down the vertices of a scope stand. */

import type { Lanes, Ways } from "./lanes";
import { GAP, type Task } from "./sheet";

/** A value that goes to as many as this does not hold them near to it. */
export const MANY = 5;

/** Boxes stand in the middle of their row, but no lower than this in a row of tall ones. */
const LOWER = 14;

/** Heights of vertices, and between which heights the wires at them may bend. */
export interface Levels {
  readonly top: Float64Array;
  readonly bottom: Float64Array;
  /** Wires into a vertex have bent by `above`, those out of it bend from `below` on. */
  readonly above: Float64Array;
  readonly below: Float64Array;
  /** Room for bends above and below. */
  readonly roomAbove: Float64Array;
  readonly roomBelow: Float64Array;
  readonly height: number;
}

/**
 * Every vertex as far up as those before it allow, so that nothing is taller than it has to be,
 * and what floats near what needs it.
 */
export function closeLevels(task: Task, ways: Ways, lanes: Lanes): Levels {
  const { vertices } = ways;
  const { roomAbove, roomBelow } = rooms(ways);
  const height = heights(task, vertices);
  const top = new Float64Array(vertices);
  const start = task.header + task.pad;
  const floats = floating(task, ways, lanes);
  let end = start;
  const firstOut = task.inPorts + task.boxes;
  for (const vertex of ways.order) {
    let least = vertex < task.inPorts ? task.header : start;
    for (let at = ways.in.start[vertex]; at < ways.in.start[vertex + 1]; at++) {
      const other = task.from[ways.in.values[at]];
      const room = Math.max(roomBelow[other], roomAbove[vertex]);
      least = Math.max(least, top[other] + height[other] + room);
    }
    top[vertex] = least;
    if (vertex < firstOut) end = Math.max(end, least + height[vertex]);
  }
  end += task.outPorts > 0 ? GAP : task.pad;
  for (let vertex = firstOut; vertex < vertices; vertex++) end = Math.max(end, top[vertex]);
  for (let vertex = firstOut; vertex < vertices; vertex++) top[vertex] = end;
  sink(
    task,
    ways,
    floats,
    top,
    (vertex, other) => top[other] - Math.max(roomBelow[vertex], roomAbove[other]) - height[vertex],
  );
  const bottom = top.map((at, vertex) => at + height[vertex]);
  return { top, bottom, above: top, below: bottom, roomAbove, roomBelow, height: end };
}

/** Vertices in rows, with space between rows through which wires cross without meeting a box. */
export function rowLevels(task: Task, ways: Ways, lanes: Lanes): Levels {
  const { vertices } = ways;
  const { roomAbove, roomBelow } = rooms(ways);
  const height = heights(task, vertices);
  const firstOut = task.inPorts + task.boxes;
  const row = new Float64Array(vertices);
  let rows = 1;
  const firstRow = task.inPorts > 0 ? 1 : 0;
  for (const vertex of ways.order) {
    let least = vertex < task.inPorts ? 0 : firstRow;
    for (let at = ways.in.start[vertex]; at < ways.in.start[vertex + 1]; at++) {
      least = Math.max(least, row[task.from[ways.in.values[at]]] + 1);
    }
    row[vertex] = least;
    rows = Math.max(rows, least + 1);
  }
  if (task.outPorts > 0 && task.boxes > 0) {
    let last = firstRow;
    for (let vertex = task.inPorts; vertex < firstOut; vertex++) last = Math.max(last, row[vertex]);
    for (let vertex = firstOut; vertex < vertices; vertex++) row[vertex] = last + 1;
    rows = last + 2;
  }
  sink(task, ways, floating(task, ways, lanes), row, (_, other) => row[other] - 1);
  const tall = new Float64Array(rows);
  const room = new Float64Array(rows + 1).fill(GAP);
  for (let vertex = 0; vertex < vertices; vertex++) {
    tall[row[vertex]] = Math.max(tall[row[vertex]], height[vertex]);
    room[row[vertex]] = Math.max(room[row[vertex]], roomAbove[vertex]);
    room[row[vertex] + 1] = Math.max(room[row[vertex] + 1], roomBelow[vertex]);
  }
  const above = new Float64Array(rows);
  let down = task.header + (task.inPorts > 0 ? 0 : task.pad);
  for (let at = 0; at < rows; at++) {
    above[at] = down;
    down += tall[at] + room[at + 1];
  }
  const end = down - room[rows] + (task.outPorts > 0 ? 0 : task.pad);
  const by = (value: (vertex: number) => number) =>
    Float64Array.from({ length: vertices }, (_, vertex) => value(vertex));
  const top = by(
    (vertex) => above[row[vertex]] + Math.min(LOWER, (tall[row[vertex]] - height[vertex]) / 2),
  );
  return {
    top,
    bottom: by((vertex) => top[vertex] + height[vertex]),
    above: by((vertex) => above[row[vertex]]),
    below: by((vertex) => above[row[vertex]] + tall[row[vertex]]),
    roomAbove: by((vertex) => room[row[vertex]]),
    roomBelow: by((vertex) => room[row[vertex] + 1]),
    height: end,
  };
}

/** More wires need more room to part and to meet. */
function rooms(ways: Ways) {
  const room = (links: number) => GAP + Math.min(30, 4 * Math.max(0, links - 2));
  const count = (start: Int32Array) =>
    Float64Array.from({ length: ways.vertices }, (_, at) => room(start[at + 1] - start[at]));
  return { roomAbove: count(ways.in.start), roomBelow: count(ways.out.start) };
}

function heights(task: Task, vertices: number): Float64Array {
  const height = new Float64Array(vertices);
  height.set(task.height, task.inPorts);
  return height;
}

/**
 * Boxes beside the trunk that may stand near what needs them, since nothing above holds them:
 * constants, and what is made of a value that goes to many.
 */
function floating(task: Task, ways: Ways, lanes: Lanes): Uint8Array {
  const floats = new Uint8Array(ways.vertices);
  const last = task.inPorts + task.boxes;
  for (const vertex of ways.order) {
    if (vertex < task.inPorts || vertex >= last || lanes.of[vertex] === 0) continue;
    let free = 1;
    for (let at = ways.in.start[vertex]; at < ways.in.start[vertex + 1] && free === 1; at++) {
      const other = task.from[ways.in.values[at]];
      free = ways.out.start[other + 1] - ways.out.start[other] >= MANY ? 1 : floats[other];
    }
    floats[vertex] = free;
  }
  return floats;
}

/** Moves what floats down to what needs it. */
function sink(
  task: Task,
  ways: Ways,
  floats: Uint8Array,
  level: Float64Array,
  below: (vertex: number, other: number) => number,
): void {
  for (let place = ways.vertices - 1; place >= 0; place--) {
    const vertex = ways.order[place];
    if (floats[vertex] === 0) continue;
    let most = Number.POSITIVE_INFINITY;
    for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
      most = Math.min(most, below(vertex, task.to[ways.out.values[at]]));
    }
    if (most < Number.POSITIVE_INFINITY) level[vertex] = Math.max(level[vertex], most);
  }
}
