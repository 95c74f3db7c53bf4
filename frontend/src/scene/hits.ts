/** What is at a point of the canvas, and where on the canvas things are. */

import type { Item } from "../graph/network";
import { HEADER, type Picture } from "../layout/picture";
import { overlaps, type Point, type Rect } from "./camera";
import type { Sight } from "./eyes";
import { SIGNED } from "./legible";
import { boxShowing, type Scenery } from "./motion";
import { boxAt } from "./nest";
import { seenAt, under } from "./orbit";

/** Steps in which a line of sight goes down to the ground in 3D. */
const STEPS = 160;

/** How near a sign one has to point, in picture pixels, and where it is on an open scope. */
const NEAR = 11;
const SIGN_LEFT = 15;

/**
 * The box under a point of the canvas, -1 if there is none: in 3D the first body that the line
 * of sight meets.
 *
 * @param top height of a box's top just now
 * @param highest the largest of them
 */
export function boxUnder(
  scenery: Scenery,
  sight: Sight,
  at: Point,
  top: (box: number) => number,
  highest: number,
): number {
  const { picture, nest } = scenery;
  const { camera, screen, orbit } = sight;
  const steps = orbit.amount === 0 ? 0 : STEPS;
  for (let step = 0; step <= steps; step++) {
    const z = steps === 0 ? 0 : highest * (1 - step / steps);
    const point = under(camera, screen, orbit, at, z);
    if (point === null) continue;
    const box = boxAt(picture, nest, point.x, point.y);
    if (box >= 0 && (steps === 0 || top(box) >= z - 1e-3)) return box;
  }
  return -1;
}

/** The scope whose sign is at a point; signs of closed scopes reach over their right border. */
export function signUnder(
  scenery: Scenery,
  sight: Sight,
  at: Point,
  isScope: (item: Item) => boolean,
): Item | null {
  const { picture, nest } = scenery;
  const { camera, screen, orbit } = sight;
  if (orbit.amount > 0 || camera.zoom < SIGNED) return null;
  const { boxes } = picture;
  const point = under(camera, screen, orbit, at, 0);
  if (point === null) return null;
  for (const shift of [0, -8]) {
    const box = boxAt(picture, nest, point.x + shift, point.y);
    if (box < 0) continue;
    const open = boxes.open[box] === 1;
    const x = boxes.x[box] + (open ? SIGN_LEFT : boxes.width[box]);
    const y = boxes.y[box] + (open ? HEADER / 2 : boxes.height[box] / 2);
    if (Math.abs(point.x - x) > NEAR || Math.abs(point.y - y) > NEAR) continue;
    if (open || isScope(boxes.item[box])) return boxes.item[box];
  }
  return null;
}

/** Where a box is on the canvas, in CSS pixels; tilted ones in the rectangle around them. */
export function rectOn(picture: Picture, item: Item, sight: Sight, top: number): Rect | null {
  const box = boxShowing(picture, item);
  if (box < 0) return null;
  const { x, y, width, height } = picture.boxes;
  const { camera, screen, orbit } = sight;
  const corners = [0, 1].flatMap((across) =>
    [0, 1].map((down) =>
      seenAt(camera, screen, orbit, x[box] + across * width[box], y[box] + down * height[box], top),
    ),
  );
  const left = Math.min(...corners.map((corner) => corner.x));
  const upper = Math.min(...corners.map((corner) => corner.y));
  return {
    x: left,
    y: upper,
    width: Math.max(...corners.map((corner) => corner.x)) - left,
    height: Math.max(...corners.map((corner) => corner.y)) - upper,
  };
}

/** The rectangle around items in picture coordinates, of the whole picture if none are named. */
export function rectAround(picture: Picture, items: readonly Item[] | null): Rect | null {
  const { boxes } = picture;
  if (items === null) return { x: 0, y: 0, width: picture.width, height: picture.height };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const item of items) {
    const box = picture.boxOf[item] ?? -1;
    if (box < 0) continue;
    left = Math.min(left, boxes.x[box]);
    top = Math.min(top, boxes.y[box]);
    right = Math.max(right, boxes.x[box] + boxes.width[box]);
    bottom = Math.max(bottom, boxes.y[box] + boxes.height[box]);
  }
  return left <= right ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

/**
 * How far an item moves from one picture to the next, by the middle of its upper edge; null if
 * it was out of view, since what cannot be seen holds nothing still.
 */
export function shiftOf(
  item: Item,
  old: Picture,
  places: Float64Array,
  next: Picture,
  view: Rect,
): Point | null {
  const was = boxShowing(old, item);
  const is = boxShowing(next, item);
  if (was < 0 || is < 0) return null;
  const [left, top, wide, high] = places.subarray(4 * was, 4 * was + 4);
  if (!overlaps(view, { x: left, y: top, width: wide, height: high })) return null;
  const { x, y, width } = next.boxes;
  return {
    x: x[is] + width[is] / 2 - (left + wide / 2),
    y: y[is] - top,
  };
}
