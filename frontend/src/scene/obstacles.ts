/** What stands in the way of a text: boxes, borders and names of open scopes, and wires. */

import { HEADER } from "../layout/picture";
import { overlaps, type Rect } from "./camera";
import type { Scenery } from "./motion";

/** Tells where there is room in a picture, and takes it. */
export interface Obstacles {
  readonly isFree: (rect: Rect) => boolean;
  /** From now on there is something else. */
  readonly take: (rect: Rect) => void;
}

/** Least side of the cells that a picture is divided into, in pixels. */
const CELL = 96;
/** What lies in more cells than this is looked at from everywhere instead. */
const LONG = 128;
/** Half of the thickest wire. */
const WIRE = 2;
/** How far the sheets under a repeated box reach out. */
const SHEETS = 7;

/** Divides a picture into cells with what is in them; takes time linear in what is drawn. */
export function obstaclesOf({ picture, curves }: Scenery): Obstacles {
  const found = rectsOf(picture.boxes, curves);
  const count = found.length / 4;
  // A few times as many cells as there are things, however large the picture is.
  const cell = Math.max(CELL, Math.sqrt((picture.width * picture.height) / (4 * count + 64)));
  const columns = Math.ceil(picture.width / cell) + 1;
  const rows = Math.ceil(picture.height / cell) + 1;
  const column = (x: number) => Math.min(Math.max(Math.floor(x / cell), 0), columns - 1);
  const row = (y: number) => Math.min(Math.max(Math.floor(y / cell), 0), rows - 1);
  const isLong = (i: number) =>
    (column(found[i + 2]) - column(found[i]) + 1) * (row(found[i + 3]) - row(found[i + 1]) + 1) >
    LONG;
  const start = new Int32Array(columns * rows + 1);
  const each = (visit: (cell: number, i: number) => void) => {
    for (let i = 0; i < found.length; i += 4) {
      if (isLong(i)) continue;
      for (let y = row(found[i + 1]); y <= row(found[i + 3]); y++)
        for (let x = column(found[i]); x <= column(found[i + 2]); x++) visit(y * columns + x, i);
    }
  };
  const long: number[] = [];
  for (let i = 0; i < found.length; i += 4) if (isLong(i)) long.push(i);
  each((at) => start[at + 1]++);
  for (let at = 0; at < columns * rows; at++) start[at + 1] += start[at];
  const next = start.slice(0, columns * rows);
  const inCell = new Int32Array(start[columns * rows]);
  each((at, i) => {
    inCell[next[at]++] = i;
  });

  const taken = new Map<number, Rect[]>();
  const hits = (i: number, rect: Rect) =>
    found[i] < rect.x + rect.width &&
    found[i + 2] > rect.x &&
    found[i + 1] < rect.y + rect.height &&
    found[i + 3] > rect.y;
  const cells = (rect: Rect, visit: (cell: number) => boolean): boolean => {
    for (let y = row(rect.y); y <= row(rect.y + rect.height); y++)
      for (let x = column(rect.x); x <= column(rect.x + rect.width); x++)
        if (!visit(y * columns + x)) return false;
    return true;
  };
  return {
    isFree: (rect) =>
      cells(rect, (at) => {
        for (let k = start[at]; k < start[at + 1]; k++) if (hits(inCell[k], rect)) return false;
        return !taken.get(at)?.some((other) => overlaps(other, rect));
      }) && !long.some((i) => hits(i, rect)),
    take: (rect) => {
      cells(rect, (at) => {
        const list = taken.get(at);
        if (list === undefined) taken.set(at, [rect]);
        else list.push(rect);
        return true;
      });
    },
  };
}

/** Left, top, right and bottom of all that is drawn. */
function rectsOf(
  boxes: Scenery["picture"]["boxes"],
  { start, x, y }: Scenery["curves"],
): Float64Array {
  const { open, repeat, item } = boxes;
  let count = x.length - (start.length - 1);
  for (let box = 0; box < item.length; box++) count += open[box] === 1 ? 4 : 1;
  const found = new Float64Array(4 * Math.max(count, 0));
  let at = 0;
  const add = (left: number, top: number, right: number, bottom: number) => {
    found[at++] = left;
    found[at++] = top;
    found[at++] = right;
    found[at++] = bottom;
  };
  for (let box = 0; box < item.length; box++) {
    const left = boxes.x[box];
    const top = boxes.y[box];
    const right = left + boxes.width[box];
    const bottom = top + boxes.height[box];
    if (open[box] === 0) {
      const more = repeat[box] > 1 ? SHEETS : 0;
      add(left, top, right + more, bottom + more);
      continue;
    }
    add(left, top, right, top + HEADER);
    add(left, top, left + 1, bottom);
    add(right - 1, top, right, bottom);
    add(left, bottom - 1, right, bottom);
  }
  for (let wire = 0; wire < start.length - 1; wire++) {
    for (let i = start[wire]; i < start[wire + 1] - 1; i++) {
      add(
        Math.min(x[i], x[i + 1]) - WIRE,
        Math.min(y[i], y[i + 1]) - WIRE,
        Math.max(x[i], x[i + 1]) + WIRE,
        Math.max(y[i], y[i + 1]) + WIRE,
      );
    }
  }
  return found.subarray(0, at);
}
