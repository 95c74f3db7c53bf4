/** Lays out what an opening shows: scope by scope from the inside out, each only once. */

import { arrange } from "./arrange";
import { type Links, lift } from "./lift";
import { type Memo, remembered } from "./memo";
import { HEADER, type Opening, type Outline, type Picture } from "./picture";
import type { Sheet, Task } from "./sheet";
import { type Survey, survey } from "./survey";
import { type Visible, visible } from "./visible";

/** Space around what is in a scope. */
const PAD = 16;

/** Lays out an outline. What a memo remembers is not laid out again. */
export function layOut(outline: Outline | Survey, opening: Opening, memo: Memo): Picture {
  const known = "order" in outline ? outline : survey(outline);
  const shown = visible(known, opening);
  const links = lift(known, shown);
  const sheets = sheetsOf(known, shown, links, opening, memo);
  return assembled(known, shown, links, sheets);
}

/** The sheet of each open box, and what each vertex of it is. */
interface Sheets {
  readonly of: readonly (Sheet | null)[];
  /** Ports of each open box, those where values enter first. */
  readonly enter: readonly number[][];
  readonly leave: readonly number[][];
  readonly width: Float64Array;
  readonly height: Float64Array;
}

function sheetsOf(
  known: Survey,
  shown: Visible,
  links: Links,
  opening: Opening,
  memo: Memo,
): Sheets {
  const count = shown.item.length;
  const { outline } = known;
  const children: number[][] = Array.from(shown.open, () => []);
  for (let box = 1; box < count; box++) children[shown.parent[box]].push(box);
  const enter: number[][] = Array.from(shown.open, () => []);
  const leave: number[][] = Array.from(shown.open, () => []);
  const place = new Int32Array(links.portBox.length);
  for (let port = 0; port < links.portBox.length; port++) {
    const list = (links.portOut[port] === 1 ? leave : enter)[links.portBox[port]];
    place[port] = list.length;
    list.push(port);
  }
  const of: (Sheet | null)[] = new Array(count).fill(null);
  const width = Float64Array.from(shown.item, (item) => outline.width[item]);
  const height = Float64Array.from(shown.item, (item) => outline.height[item]);
  const vertex = new Int32Array(count);
  // Boxes are in preorder, so from the last to the first what is inside comes first.
  for (let box = count - 1; box >= 0; box--) {
    if (shown.open[box] === 0) continue;
    const inside = children[box];
    const ports = enter[box].length;
    for (let at = 0; at < inside.length; at++) vertex[inside[at]] = ports + at;
    const first = links.byScope.start[box];
    const size = links.byScope.start[box + 1] - first;
    const from = new Int32Array(size);
    const to = new Int32Array(size);
    const fromAt = new Float64Array(size).fill(Number.NaN);
    const toAt = new Float64Array(size).fill(Number.NaN);
    for (let at = 0; at < size; at++) {
      const link = links.byScope.values[first + at];
      const a = links.from[link];
      const b = links.to[link];
      if (a < count) from[at] = vertex[a];
      else if (links.portBox[a - count] === box) from[at] = place[a - count];
      else {
        const owner = links.portBox[a - count];
        from[at] = vertex[owner];
        fromAt[at] = (of[owner] as Sheet).outPort[place[a - count]];
      }
      if (b < count) to[at] = vertex[b];
      else if (links.portBox[b - count] === box) to[at] = ports + inside.length + place[b - count];
      else {
        const owner = links.portBox[b - count];
        to[at] = vertex[owner];
        toAt[at] = (of[owner] as Sheet).inPort[place[b - count]];
      }
    }
    const pick = (value: (child: number) => number) => Float64Array.from(inside, value);
    const root = box === 0;
    const task: Task = {
      inPorts: ports,
      boxes: inside.length,
      outPorts: leave[box].length,
      width: pick((child) => width[child]),
      height: pick((child) => height[child]),
      inAxis: pick((child) => of[child]?.inAxis ?? width[child] / 2),
      outAxis: pick((child) => of[child]?.outAxis ?? width[child] / 2),
      from,
      to,
      fromAt,
      toAt,
      header: root ? 0 : HEADER,
      pad: PAD,
      least: root ? 0 : outline.width[shown.item[box]],
      aspect: opening.aspect,
      tall: root ? 600 : 800,
    };
    const sheet = remembered(memo, task, arrange);
    of[box] = sheet;
    width[box] = sheet.width;
    height[box] = sheet.height;
  }
  return { of, enter, leave, width, height };
}

/** Puts all sheets in place. */
function assembled(known: Survey, shown: Visible, links: Links, sheets: Sheets): Picture {
  const count = shown.item.length;
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  const within = new Int32Array(count);
  const inside = new Int32Array(count);
  for (let box = 1; box < count; box++) {
    const around = shown.parent[box];
    const sheet = sheets.of[around] as Sheet;
    within[box] = inside[around]++;
    x[box] = x[around] + sheet.x[within[box]];
    y[box] = y[around] + sheet.y[within[box]];
  }
  const wires = wiresOf(shown, links, sheets, x, y);
  const boxOf = new Int32Array(known.items).fill(-1);
  for (let box = 1; box < count; box++) boxOf[shown.item[box]] = box - 1;
  return {
    width: sheets.width[0],
    height: sheets.height[0],
    boxes: {
      item: shown.item.slice(1),
      x: x.slice(1),
      y: y.slice(1),
      width: Float32Array.from(sheets.width.subarray(1)),
      height: Float32Array.from(sheets.height.subarray(1)),
      depth: shown.depth.slice(1),
      open: shown.open.slice(1),
      repeat: shown.repeat.slice(1),
    },
    wires,
    boxOf,
  };
}

function wiresOf(
  shown: Visible,
  links: Links,
  sheets: Sheets,
  left: Float64Array,
  top: Float64Array,
): Picture["wires"] {
  const count = shown.item.length;
  const total = links.from.length;
  const itemOf = (end: number) => shown.item[end < count ? end : links.portBox[end - count]];
  let points = 0;
  for (const sheet of sheets.of) if (sheet !== null) points += sheet.px.length;
  const start = new Int32Array(total + 1);
  const x = new Float64Array(points);
  const y = new Float64Array(points);
  const numbers = links.byScope.values;
  let at = 0;
  for (let box = 0; box < count; box++) {
    const sheet = sheets.of[box];
    if (sheet === null) continue;
    const first = links.byScope.start[box];
    for (let link = 0; link < sheet.start.length - 1; link++) {
      start[first + link] = at + sheet.start[link];
    }
    for (let point = 0; point < sheet.px.length; point++) {
      x[at + point] = left[box] + sheet.px[point];
      y[at + point] = top[box] + sheet.py[point];
    }
    at += sheet.px.length;
  }
  start[total] = at;
  return {
    source: numbers.map((link) => itemOf(links.from[link])),
    target: numbers.map((link) => itemOf(links.to[link])),
    edge: numbers.map((link) => links.edge[link]),
    values: numbers.map((link) => links.values[link]),
    bytes: Float64Array.from(numbers, (link) => links.bytes[link]),
    start,
    x,
    y,
  };
}
