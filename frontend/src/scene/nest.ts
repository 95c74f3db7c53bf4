/**
 * How the boxes of a picture lie in each other, to find those at a point or in a rectangle.
 *
 * Boxes are in preorder and lie within the scope around them, so a search steps over all of a
 * scope that it misses: no index has to be built beyond one number for each box.
 */

import type { Picture } from "../layout/picture";
import type { Rect } from "./camera";

/** For each box, the box of the scope around it (-1 if none), and the first box after its subtree. */
export interface Nest {
  readonly parent: Int32Array;
  readonly end: Int32Array;
}

/** Works out who lies in whom from depths in preorder. */
export function nestOf(picture: Picture): Nest {
  const { depth, item } = picture.boxes;
  const parent = new Int32Array(item.length).fill(-1);
  const end = new Int32Array(item.length);
  const around: number[] = [];
  for (let box = 0; box < item.length; box++) {
    while (around.length > 0 && depth[around[around.length - 1]] >= depth[box]) {
      end[around.pop() as number] = box;
    }
    if (around.length > 0) parent[box] = around[around.length - 1];
    around.push(box);
  }
  for (const box of around) end[box] = item.length;
  return { parent, end };
}

/** The innermost open scope that a rectangle lies in, -1 if it lies in none. */
export function scopeAround(picture: Picture, nest: Nest, rect: Rect): number {
  const { x, y, width, height, open, item } = picture.boxes;
  let found = -1;
  let box = 0;
  let last = item.length;
  while (box < last) {
    const lies =
      open[box] === 1 &&
      x[box] <= rect.x &&
      y[box] <= rect.y &&
      x[box] + width[box] >= rect.x + rect.width &&
      y[box] + height[box] >= rect.y + rect.height;
    if (lies) {
      found = box;
      last = nest.end[box];
      box++;
    } else box = nest.end[box];
  }
  return found;
}

/**
 * How far the edges of each open scope are inside those of the outermost one around it, summed
 * from scope to scope: where scopes lie in each other closer than one can see, most of them need
 * not be drawn. Closed boxes have the value of the scope around them.
 */
export function insetsOf(picture: Picture, nest: Nest): Float64Array {
  const { x, y, width, height, open, item } = picture.boxes;
  const insets = new Float64Array(item.length);
  for (let box = 0; box < item.length; box++) {
    const around = nest.parent[box];
    if (around < 0) continue;
    insets[box] = insets[around];
    if (open[box] === 0) continue;
    const right = x[around] + width[around] - x[box] - width[box];
    const below = y[around] + height[around] - y[box] - height[box];
    insets[box] += Math.max(x[box] - x[around], y[box] - y[around], right, below, 0);
  }
  return insets;
}

/** The innermost box at a point, -1 if there is none. */
export function boxAt(picture: Picture, nest: Nest, x: number, y: number): number {
  const boxes = picture.boxes;
  let found = -1;
  let box = 0;
  let last = boxes.item.length;
  while (box < last) {
    const across = x - boxes.x[box];
    const down = y - boxes.y[box];
    if (across >= 0 && down >= 0 && across < boxes.width[box] && down < boxes.height[box]) {
      found = box;
      last = nest.end[box];
      box++;
    } else box = nest.end[box];
  }
  return found;
}

/**
 * Visits the boxes that touch a rectangle, outer ones first, and looks into a scope only if it
 * is at least `least` picture pixels wide and high.
 */
export function eachIn(
  picture: Picture,
  nest: Nest,
  rect: Rect,
  least: number,
  visit: (box: number) => void,
): void {
  const { x, y, width, height, item } = picture.boxes;
  const right = rect.x + rect.width;
  const bottom = rect.y + rect.height;
  let box = 0;
  while (box < item.length) {
    const misses =
      x[box] > right ||
      y[box] > bottom ||
      x[box] + width[box] < rect.x ||
      y[box] + height[box] < rect.y;
    if (misses) box = nest.end[box];
    else {
      visit(box);
      box = width[box] < least || height[box] < least ? nest.end[box] : box + 1;
    }
  }
}
