/** What stands in the way of a text: boxes, borders and names of open scopes, and wires. */

import { HEADER } from "../layout/picture";
import { overlaps, type Rect } from "./camera";
import type { Scenery } from "./motion";
import { eachIn } from "./nest";

/** Tells where a picture is empty. */
export interface Obstacles {
  readonly isFree: (rect: Rect) => boolean;
}

/** Room between obstacles, which can be taken. */
export interface Room extends Obstacles {
  /** From now on there is something else. */
  readonly take: (rect: Rect) => void;
}

/** Side of the cells in which things are looked up, in pixels, and cells along a tile. */
const CELL = 96;
const CELLS = 24;
const TILE = CELL * CELLS;
/** Tiles that are kept: many times as many as there are in view. */
const MOST_TILES = 100;
/** Half of the thickest wire. */
const WIRE = 2;
/** How far the sheets under a repeated box reach out. */
const SHEETS = 7;
/** Cells along a row of any picture at most. */
const ROW = 2 ** 24;

/** The things in a tile, by cell: left, top, right, bottom of each one after another. */
type Tile = readonly (readonly number[])[];

/**
 * Looks into a picture tile by tile, as texts are to be written there: all of it would take
 * long where a hundred thousand boxes are open.
 */
export function obstaclesOf(scenery: Scenery): Obstacles {
  const tiles = new Map<number, Tile>();
  let bounds: Float64Array | null = null;
  const tileAt = (column: number, row: number): Tile => {
    const key = row * ROW + column;
    let tile = tiles.get(key);
    if (tile === undefined) {
      if (tiles.size >= MOST_TILES) tiles.clear();
      bounds ??= boundsOf(scenery.curves);
      tile = tileOf(scenery, bounds, column * TILE, row * TILE);
      tiles.set(key, tile);
    }
    return tile;
  };
  return {
    isFree: (rect) =>
      everyCell(rect, (x, y) => {
        const [column, row] = [Math.floor(x / CELLS), Math.floor(y / CELLS)];
        const things = tileAt(column, row)[(y - row * CELLS) * CELLS + x - column * CELLS];
        for (let i = 0; i < things.length; i += 4) {
          const across = things[i] < rect.x + rect.width && things[i + 2] > rect.x;
          if (across && things[i + 1] < rect.y + rect.height && things[i + 3] > rect.y)
            return false;
        }
        return true;
      }),
  };
}

/** Room among obstacles of which nothing is taken yet. */
export function roomAmong({ isFree }: Obstacles): Room {
  const taken = new Map<number, Rect[]>();
  return {
    isFree: (rect) =>
      everyCell(rect, (x, y) => !taken.get(y * ROW + x)?.some((other) => overlaps(other, rect))) &&
      isFree(rect),
    take: (rect) => {
      everyCell(rect, (x, y) => {
        const list = taken.get(y * ROW + x);
        if (list === undefined) taken.set(y * ROW + x, [rect]);
        else list.push(rect);
        return true;
      });
    },
  };
}

function everyCell(rect: Rect, holds: (x: number, y: number) => boolean): boolean {
  const right = Math.floor((rect.x + rect.width) / CELL);
  const bottom = Math.floor((rect.y + rect.height) / CELL);
  for (let y = Math.floor(rect.y / CELL); y <= bottom; y++)
    for (let x = Math.floor(rect.x / CELL); x <= right; x++) if (!holds(x, y)) return false;
  return true;
}

function tileOf(
  { picture, nest, curves }: Scenery,
  bounds: Float64Array,
  left: number,
  top: number,
): Tile {
  const cells: number[][] = Array.from({ length: CELLS * CELLS }, () => []);
  const cell = (at: number) => Math.min(Math.max(Math.floor(at / CELL), 0), CELLS - 1);
  const add = (x0: number, y0: number, x1: number, y1: number) => {
    if (x1 < left || y1 < top || x0 > left + TILE || y0 > top + TILE) return;
    for (let row = cell(y0 - top); row <= cell(y1 - top); row++)
      for (let column = cell(x0 - left); column <= cell(x1 - left); column++)
        cells[row * CELLS + column].push(x0, y0, x1, y1);
  };
  const { boxes } = picture;
  eachIn(picture, nest, { x: left, y: top, width: TILE, height: TILE }, 0, (box) => {
    const x = boxes.x[box];
    const y = boxes.y[box];
    const right = x + boxes.width[box];
    const bottom = y + boxes.height[box];
    if (boxes.open[box] === 0) {
      const more = boxes.repeat[box] > 1 ? SHEETS : 0;
      add(x, y, right + more, bottom + more);
      return;
    }
    add(x, y, right, y + HEADER);
    add(x, y, x + 1, bottom);
    add(right - 1, y, right, bottom);
    add(x, bottom - 1, right, bottom);
  });
  const { start, x, y } = curves;
  for (let wire = 0; wire < start.length - 1; wire++) {
    const b = 4 * wire;
    if (bounds[b] > left + TILE || bounds[b + 2] < left) continue;
    if (bounds[b + 1] > top + TILE || bounds[b + 3] < top) continue;
    for (let i = start[wire]; i < start[wire + 1] - 1; i++) {
      add(
        Math.min(x[i], x[i + 1]) - WIRE,
        Math.min(y[i], y[i + 1]) - WIRE,
        Math.max(x[i], x[i + 1]) + WIRE,
        Math.max(y[i], y[i + 1]) + WIRE,
      );
    }
  }
  return cells;
}

/** Left, top, right and bottom of each wire. */
function boundsOf({ start, x, y }: Scenery["curves"]): Float64Array {
  const bounds = new Float64Array(4 * (start.length - 1));
  for (let wire = 0; wire < start.length - 1; wire++) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = start[wire]; i < start[wire + 1]; i++) {
      left = Math.min(left, x[i]);
      top = Math.min(top, y[i]);
      right = Math.max(right, x[i]);
      bottom = Math.max(bottom, y[i]);
    }
    bounds[4 * wire] = left - WIRE;
    bounds[4 * wire + 1] = top - WIRE;
    bounds[4 * wire + 2] = right + WIRE;
    bounds[4 * wire + 3] = bottom + WIRE;
  }
  return bounds;
}
