/** Draws the wires of a scope whose lanes and levels are known. */

import { isFed, isNear } from "./beside";
import { corner } from "./corner";
import type { Lanes, Ways } from "./lanes";
import type { Levels } from "./levels";
import type { Packing } from "./pack";
import type { Task } from "./sheet";

/** Points of the wire of each link, and how each runs. */
export interface Routes {
  readonly start: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Space between the ends of wires on the same side of a box. */
const APART = 9;
/** Least distance of an end from the corner of a box. */
const CORNER = 10;
const ROUND = 8;

/** Left side of each box. */
export function leftsOf(task: Task, packing: Packing): Float64Array {
  return Float64Array.from(
    { length: task.boxes },
    (_, box) => packing.enter[box + task.inPorts] - task.inAxis[box],
  );
}

/** Routes all links. */
export function routesOf(
  task: Task,
  ways: Ways,
  lanes: Lanes,
  levels: Levels,
  packing: Packing,
  feeder: Int32Array,
): Routes {
  const count = task.from.length;
  const via = new Float64Array(count);
  for (let link = 0; link < count; link++)
    via[link] = viaOf(task, lanes, levels, packing, feeder, link);
  const left = leftsOf(task, packing);
  const other = (ends: Int32Array, x: Float64Array) =>
    via.map((at, link) => (Number.isNaN(at) ? x[ends[link]] : at));
  const leave = endsOf(task, packing, left, other(task.to, packing.enter), ways, true);
  const enter = endsOf(task, packing, left, other(task.from, packing.leave), ways, false);
  const start = new Int32Array(count + 1);
  const x: number[] = [];
  const y: number[] = [];
  const back = new Set(ways.back);
  for (let link = 0; link < count; link++) {
    const from = task.from[link];
    const to = task.to[link];
    const point = (px: number, py: number): void => {
      const at = x.length - 1;
      if (at >= start[link] && Math.abs(x[at] - px) < 0.01 && Math.abs(y[at] - py) < 0.01) return;
      // Of three points in a vertical line the middle one says nothing.
      if (at > start[link] && x[at] === px && x[at - 1] === px && !back.has(link)) y[at] = py;
      else {
        x.push(px);
        y.push(py);
      }
    };
    start[link] = x.length;
    point(leave[link], from < task.inPorts ? 0 : levels.bottom[from]);
    const way: Way = { leave: leave[link], enter: enter[link], via: via[link], from, to };
    (back.has(link) ? upward : downward)(point, levels, way);
    point(enter[link], levels.top[to]);
  }
  start[count] = x.length;
  return { start, x: Float64Array.from(x), y: Float64Array.from(y) };
}

type Point = (x: number, y: number) => void;

/** Where a link leaves and enters, along which x it runs, and between which vertices. */
interface Way {
  readonly leave: number;
  readonly enter: number;
  readonly via: number;
  readonly from: number;
  readonly to: number;
}

function downward(point: Point, levels: Levels, { leave, enter, via, from, to }: Way): void {
  const first = levels.below[from];
  const last = levels.above[to];
  const room = Math.max(levels.roomBelow[from], levels.roomAbove[to]);
  point(leave, first);
  if (
    last - first > room * 1.5 ||
    (Math.abs(leave - via) > 1 && Math.abs(enter - via) > 1 && Math.abs(leave - enter) > 1)
  ) {
    const bend = Math.min((last - first) / 2, levels.roomBelow[from]);
    point(via, first + bend);
    point(via, last - Math.min((last - first) / 2, levels.roomAbove[to]));
  }
  point(enter, last);
}

/** Down a little, over to the bus, up, and over to the target, around corners. */
function upward(point: Point, levels: Levels, { leave, enter, via, from, to }: Way): void {
  const low = levels.below[from] + levels.roomBelow[from] / 2;
  const high = levels.above[to] - levels.roomAbove[to] / 2;
  const toBus = Math.sign(via - leave);
  const toEnd = Math.sign(enter - via);
  const first = Math.min(ROUND, Math.abs(via - leave) / 2);
  const last = Math.min(ROUND, Math.abs(enter - via) / 2);
  const points = [
    ...corner(leave, low, toBus, -1, first),
    ...corner(via, low, -toBus, -1, first).reverse(),
    ...corner(via, high, toEnd, 1, last),
    ...corner(enter, high, -toEnd, 1, last).reverse(),
  ];
  for (const [x, y] of points) point(x, y);
}

/** The x along which a link runs down; that of its end if it is near. */
function viaOf(
  task: Task,
  lanes: Lanes,
  levels: Levels,
  packing: Packing,
  feeder: Int32Array,
  link: number,
): number {
  const from = task.from[link];
  const to = task.to[link];
  if (!Number.isNaN(packing.bus[link])) return packing.bus[link];
  if (isFed(lanes, feeder, from, to) && lanes.next[from] !== to) return packing.enter[to];
  if (lanes.next[from] !== to && isNear(levels, from, to)) return Number.NaN;
  return lanes.next[from] === to ? packing.enter[to] : packing.leave[from];
}

/** Where links leave or enter their boxes: near to where they run, apart from each other. */
function endsOf(
  task: Task,
  packing: Packing,
  left: Float64Array,
  via: Float64Array,
  ways: Ways,
  leaving: boolean,
): Float64Array {
  const fixed = leaving ? task.fromAt : task.toAt;
  const own = leaving ? task.from : task.to;
  const axis = leaving ? task.outAxis : task.inAxis;
  const ends = new Float64Array(task.from.length);
  const lists = leaving ? ways.out : ways.in;
  for (let vertex = 0; vertex < ways.vertices; vertex++) {
    const box = vertex - task.inPorts;
    const isBox = box >= 0 && box < task.boxes;
    const free: number[] = [];
    for (let at = lists.start[vertex]; at < lists.start[vertex + 1]; at++) {
      const link = lists.values[at];
      if (!isBox) ends[link] = packing.enter[vertex];
      else if (!Number.isNaN(fixed[link])) ends[link] = left[box] + fixed[link];
      else free.push(link);
    }
    if (free.length > 0) spread(free, via, left[box], task.width[box], left[box] + axis[box], ends);
  }
  for (const link of ways.back) {
    const box = own[link] - task.inPorts;
    if (box < 0 || box >= task.boxes) ends[link] = packing.enter[own[link]];
    else if (!Number.isNaN(fixed[link])) ends[link] = left[box] + fixed[link];
    else ends[link] = left[box] + Math.min(CORNER, axis[box]);
  }
  return ends;
}

/** Spreads ends along a side, in the order of where their links run; the main one in the middle. */
function spread(
  links: number[],
  via: Float64Array,
  left: number,
  width: number,
  axis: number,
  ends: Float64Array,
): void {
  for (const link of links) ends[link] = axis;
  for (const side of [-1, 1]) {
    const room = Math.max(0, (side < 0 ? axis - left : left + width - axis) - CORNER);
    const out = (link: number) => side * (via[link] - axis);
    const beside = links.filter((link) => out(link) > 0.5).sort((a, b) => out(a) - out(b) || a - b);
    const runs = new Set(beside.map((link) => via[link])).size;
    const apart = Math.min(APART, room / (runs + 1));
    let at = 0;
    let end = 0;
    for (let next = 0; next < beside.length; next++) {
      const link = beside[next];
      if (next === 0 || via[link] !== via[beside[next - 1]]) {
        // Straight where it can be, and with room left for those further out.
        const wanted = out(link) <= room ? out(link) : room * 0.6;
        end = Math.max(end + apart, Math.min(wanted, room - (runs - 1 - at) * apart));
        at++;
      }
      ends[link] = axis + side * end;
    }
  }
}
