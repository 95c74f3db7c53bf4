/**
 * Breaks a tall sheet into columns, as a newspaper does: what leaves a column at its bottom runs
 * up beside it and enters the next at its top.
 */

import { corner } from "./corner";
import type { Sheet, Task } from "./sheet";

/** Space between columns; how far in it wires run from one to the next, past what is written. */
const GUTTER = 60;
const RISE = 0.6;
/** How far they run straight down before, so that there is room to write beside them. */
const SINK = 12;
/** Space between these wires. */
const APART = 6;
/** Wires that change columns on ways of their own; more share ways. */
const MOST = 24;
const ROUND = 8;
/** Where there are more changes of column than this, wires that make many go straight. */
const CROSSINGS = 40_000;
const FAR = 3;

/** Where a sheet is cut: nothing but wires is between the two heights. */
interface Cut {
  readonly above: number;
  readonly below: number;
}

/** A wire that changes columns at a cut: where it leaves, where it enters, on which track. */
interface Crossing {
  readonly leave: number;
  readonly enter: number;
  readonly source: number;
  track: number;
}

/** Breaks a sheet into the columns in which it can be shown largest. */
export function inColumns(task: Task, sheet: Sheet): Sheet {
  const { width, height } = sheet;
  if (height < 2 * task.tall || width / height > task.aspect / 2) return sheet;
  const gaps = gapsOf(task, sheet);
  const crossing = crossings(task, sheet, gaps);
  const even = Math.round(Math.sqrt((task.aspect * height) / (width + GUTTER)));
  const most = Math.floor(height / task.tall);
  let best: readonly Cut[] = [];
  // Columns are worth their crossings only if all gets clearly larger.
  let least = 0.85 * Math.max(width / task.aspect, height);
  for (let columns = Math.max(2, even - 3); columns <= Math.min(most, even + 3); columns++) {
    const cuts = chosen(task, sheet, columns, gaps, crossing);
    const size = sizeIn(task, sheet, cuts);
    if (size >= least) continue;
    least = size;
    best = cuts;
  }
  return best.length === 0 ? sheet : broken(task, sheet, best);
}

/** About how tall a page of the aspect that is aimed at must be for a sheet cut so. */
function sizeIn(task: Task, sheet: Sheet, cuts: readonly Cut[]): number {
  const left = new Float64Array(cuts.length + 1).fill(Number.POSITIVE_INFINITY);
  const right = new Float64Array(cuts.length + 1).fill(Number.NEGATIVE_INFINITY);
  for (let box = 0; box < task.boxes; box++) {
    const column = columnAt(cuts, sheet.y[box]);
    left[column] = Math.min(left[column], sheet.x[box]);
    right[column] = Math.max(right[column], sheet.x[box] + task.width[box]);
  }
  let wide = 2 * task.pad;
  let tallest = 0;
  for (let column = 0; column <= cuts.length; column++) {
    const top = column === 0 ? task.header : cuts[column - 1].below;
    const bottom = column === cuts.length ? sheet.height : cuts[column].above;
    tallest = Math.max(tallest, bottom - top);
    wide += Math.max(0, right[column] - left[column]) + GUTTER;
  }
  return Math.max(wide / task.aspect, tallest + task.header + GUTTER);
}

/** The column that a height falls into. */
function columnAt(cuts: readonly Cut[], y: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if ((cuts[half].above + cuts[half].below) / 2 >= y) high = half;
    else low = half + 1;
  }
  return low;
}

/** Chooses the cuts: near to even heights, where few wires pass. */
function chosen(
  task: Task,
  sheet: Sheet,
  columns: number,
  gaps: readonly Cut[],
  crossing: Int32Array,
): Cut[] {
  const cuts: Cut[] = [];
  let top = task.header;
  let at = 0;
  while (columns - cuts.length > 1 && sheet.height - top > task.tall) {
    const even = (sheet.height - top) / (columns - cuts.length);
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (; at < gaps.length && gaps[at].above < top + 0.55 * even; at++);
    for (let next = at; next < gaps.length; next++) {
      const off = Math.abs(gaps[next].above - top - even) / even;
      if (off > 0.45 && best >= 0) break;
      const cost = off + 0.04 * Math.min(crossing[next], 20);
      if (cost < least) {
        least = cost;
        best = next;
      }
    }
    if (best < 0 || sheet.height - gaps[best].below < 0.2 * even) break;
    cuts.push(gaps[best]);
    top = gaps[best].below;
    at = best + 1;
  }
  return cuts;
}

/** Heights between which there is no box. */
function gapsOf(task: Task, sheet: Sheet): Cut[] {
  const boxes = Array.from({ length: task.boxes }, (_, box) => box);
  boxes.sort((a, b) => sheet.y[a] - sheet.y[b]);
  const gaps: Cut[] = [];
  let bottom = Number.POSITIVE_INFINITY;
  for (const box of boxes) {
    if (sheet.y[box] > bottom + ROUND) gaps.push({ above: bottom, below: sheet.y[box] });
    const end = sheet.y[box] + task.height[box];
    bottom = bottom === Number.POSITIVE_INFINITY ? end : Math.max(bottom, end);
  }
  return gaps;
}

/** How many ends' wires pass each gap. */
function crossings(task: Task, sheet: Sheet, gaps: readonly Cut[]): Int32Array {
  const change = new Int32Array(gaps.length + 1);
  const after = (height: number): number => {
    let low = 0;
    let high = gaps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (gaps[middle].above >= height - 0.5) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  for (let link = 0; link < task.from.length; link++) {
    const first = sheet.py[sheet.start[link]];
    const last = sheet.py[sheet.start[link + 1] - 1];
    const from = after(Math.min(first, last));
    const to = after(Math.max(first, last));
    if (to <= from) continue;
    change[from]++;
    change[to]--;
  }
  let sum = 0;
  return change.subarray(0, gaps.length).map((by) => (sum += by));
}

function broken(task: Task, sheet: Sheet, cuts: readonly Cut[]): Sheet {
  const columns = cuts.length + 1;
  const columnOf = (y: number): number => columnAt(cuts, y);
  const direct = directLinks(task, sheet, columnOf);
  const over = crossingsOf(task, sheet, columnOf, cuts.length, direct);
  const tracks = over.map(numberTracks);

  // Extent of each column.
  const left = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
  const right = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  const reach = (column: number, from: number, to: number): void => {
    left[column] = Math.min(left[column], from);
    right[column] = Math.max(right[column], to);
  };
  for (let box = 0; box < task.boxes; box++) {
    reach(columnOf(sheet.y[box]), sheet.x[box], sheet.x[box] + task.width[box]);
  }
  for (let link = 0; link < task.from.length; link++) {
    for (let at = sheet.start[link]; at < sheet.start[link + 1] && direct[link] === 0; at++) {
      reach(columnOf(sheet.py[at]), sheet.px[at], sheet.px[at]);
    }
  }
  over.forEach((list, cut) => {
    for (const { leave, enter } of list.values()) {
      reach(cut, leave, leave);
      reach(cut + 1, enter, enter);
    }
  });

  // Place of each column.
  const rise = tracks.reduce((most, count) => Math.max(most, count), 0) * APART + ROUND;
  const first = task.header + (task.inPorts > 0 ? 0 : task.pad);
  const top = Math.max(first + rise, first + 14);
  const moveX = new Float64Array(columns);
  const moveY = new Float64Array(columns);
  const bottom = new Float64Array(columns);
  let x = task.pad;
  let deepest = 0;
  for (let column = 0; column < columns; column++) {
    moveX[column] = x - left[column];
    moveY[column] = column === 0 ? 0 : top + 12 - cuts[column - 1].below;
    const end = column < cuts.length ? cuts[column].above : sheet.height;
    bottom[column] = end + moveY[column];
    const sink = column < cuts.length ? tracks[column] * APART + 2 * ROUND + SINK + task.pad : 0;
    deepest = Math.max(deepest, bottom[column] + sink);
    x += right[column] - left[column];
    if (column < cuts.length) x += GUTTER + tracks[column] * APART;
  }
  const height = deepest;
  const width = Math.max(x + task.pad, task.least);

  const px: number[] = [];
  const py: number[] = [];
  const start = new Int32Array(sheet.start.length);
  const point = (at: number, down: number): void => {
    px.push(at);
    py.push(down);
  };
  const fixY = (column: number, y: number): number => {
    const moved = y + moveY[column];
    if (column < cuts.length && moved > bottom[column]) return bottom[column];
    return column > 0 && moved < top ? top : moved;
  };
  for (let link = 0; link < task.from.length; link++) {
    start[link] = px.length;
    for (let at = sheet.start[link]; at < sheet.start[link + 1]; at++) {
      const column = columnOf(sheet.py[at]);
      const end = at === sheet.start[link] || at === sheet.start[link + 1] - 1;
      if (direct[link] === 1 && !end) continue;
      if (at > sheet.start[link] && direct[link] === 0) {
        const before = columnOf(sheet.py[at - 1]);
        const step = column < before ? -1 : 1;
        for (let from = before; from !== column; from += step) {
          const cut = step > 0 ? from : from - 1;
          const crossing = over[cut].get(keyOf(task, sheet, link, at)) as Crossing;
          const gutter = left[cut] + moveX[cut] + (right[cut] - left[cut]) + GUTTER * RISE;
          const way: Way = {
            leave: crossing.leave + moveX[cut],
            enter: crossing.enter + moveX[cut + 1],
            bottom: bottom[cut],
            low: bottom[cut] + ROUND + SINK + APART * crossing.track,
            gutter: gutter + APART * crossing.track,
            high: top - APART * (tracks[cut] - 1 - crossing.track),
            top: top + 8,
          };
          for (const [a, b] of step > 0 ? wayOf(way) : wayOf(way).reverse()) point(a, b);
        }
      }
      const last = at === sheet.start[link + 1] - 1;
      const leaves = last && task.to[link] >= task.inPorts + task.boxes;
      point(sheet.px[at] + moveX[column], leaves ? height : fixY(column, sheet.py[at]));
    }
  }
  start[task.from.length] = px.length;
  const shiftX = (width - x - task.pad) / 2;
  const last = columns - 1;
  return {
    width,
    height,
    x: sheet.x.map((at, box) => at + moveX[columnOf(sheet.y[box])] + shiftX),
    y: sheet.y.map((at) => at + moveY[columnOf(at)]),
    inPort: sheet.inPort.map((at) => at + moveX[0] + shiftX),
    outPort: sheet.outPort.map((at) => at + moveX[last] + shiftX),
    inAxis: sheet.inAxis + moveX[0] + shiftX,
    outAxis: sheet.outAxis + moveX[last] + shiftX,
    start,
    px: Float64Array.from(px, (at) => at + shiftX),
    py: Float64Array.from(py),
  };
}

/**
 * Links that are drawn straight across columns, marked by 1: those that cross many, if a value
 * that thousands need would make millions of points otherwise.
 */
function directLinks(task: Task, sheet: Sheet, columnOf: (y: number) => number): Uint8Array {
  const crossed = Int32Array.from(task.from, (_, link) => {
    const first = columnOf(sheet.py[sheet.start[link]]);
    return Math.abs(columnOf(sheet.py[sheet.start[link + 1] - 1]) - first);
  });
  const total = crossed.reduce((sum, count) => sum + count, 0);
  const most = total > CROSSINGS ? FAR : Number.POSITIVE_INFINITY;
  return Uint8Array.from(crossed, (count) => (count > most ? 1 : 0));
}

/** Wires that leave from one place and enter at one place share a crossing. */
function keyOf(task: Task, sheet: Sheet, link: number, point: number): string {
  return `${task.from[link]}|${sheet.px[point - 1]}|${sheet.px[point]}`;
}

function crossingsOf(
  task: Task,
  sheet: Sheet,
  columnOf: (y: number) => number,
  cuts: number,
  direct: Uint8Array,
): Map<string, Crossing>[] {
  const over = Array.from({ length: cuts }, () => new Map<string, Crossing>());
  for (let link = 0; link < task.from.length; link++) {
    if (direct[link] === 1) continue;
    for (let at = sheet.start[link] + 1; at < sheet.start[link + 1]; at++) {
      const before = columnOf(sheet.py[at - 1]);
      const column = columnOf(sheet.py[at]);
      const first = Math.min(before, column);
      const last = Math.max(before, column);
      for (let cut = first; cut < last; cut++) {
        // Where it bends over several columns, it does so in the gap that it comes to first.
        const x = sheet.px[at - 1];
        const leave = before < column ? (cut === first ? x : sheet.px[at]) : sheet.px[at];
        const enter = before < column ? sheet.px[at] : cut === last - 1 ? x : sheet.px[at];
        over[cut].set(keyOf(task, sheet, link, at), {
          leave,
          enter,
          source: task.from[link],
          track: 0,
        });
      }
    }
  }
  return over;
}

/** Numbers the tracks of a cut so that wires do not cross on their way; gives how many there are. */
function numberTracks(list: ReadonlyMap<string, Crossing>): number {
  const sorted = [...list.values()].sort((a, b) => b.leave - a.leave || b.enter - a.enter);
  let tracks = 0;
  sorted.forEach((crossing, at) => {
    const before = sorted[at - 1];
    const shared = at > 0 && before.leave === crossing.leave && before.source === crossing.source;
    if (!shared) tracks++;
    crossing.track = (tracks - 1) % MOST;
  });
  return Math.min(tracks, MOST);
}

interface Way {
  readonly leave: number;
  readonly enter: number;
  readonly bottom: number;
  readonly low: number;
  readonly gutter: number;
  readonly high: number;
  readonly top: number;
}

/** Down, over to the gutter, up, over to the next column and down, around corners. */
function wayOf(way: Way): [number, number][] {
  const { leave, enter, bottom, low, gutter, high, top } = way;
  return [
    [leave, bottom],
    ...corner(leave, low + ROUND, 1, -1, ROUND),
    ...corner(gutter, low + ROUND, -1, -1, ROUND).reverse(),
    ...corner(gutter, high - ROUND, 1, 1, ROUND),
    ...corner(enter, high - ROUND, -1, 1, ROUND).reverse(),
    [enter, top],
  ];
}
