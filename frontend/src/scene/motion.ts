/** Where each box and wire comes from when one picture follows another. */

import type { Picture } from "../layout/picture";
import { along, type Curves } from "./curve";
import type { Nest } from "./nest";

/** Left, top, width and height of boxes one after another. */
export type Places = Float64Array;

/** How a box is marked that is new, and one that leaves; 0 stays. */
export const APPEARS = 1;
export const VANISHES = 2;

/** A picture with what is made of it once, and where its boxes are just now. */
export interface Scenery {
  readonly picture: Picture;
  readonly nest: Nest;
  readonly curves: Curves;
}

/** The boxes of the old picture that leave, and where they go. */
export interface Ghosts {
  readonly boxes: Int32Array;
  readonly to: Places;
}

/** Where the boxes of a new picture come from. */
export interface Motion {
  /** By box of the new picture. */
  readonly from: Places;
  readonly presence: Uint8Array;
  readonly ghosts: Ghosts;
}

/** Places of the boxes of a picture, when nothing moves. */
export function placesOf(picture: Picture): Places {
  const { x, y, width, height, item } = picture.boxes;
  const places = new Float64Array(4 * item.length);
  for (let box = 0; box < item.length; box++) {
    places[4 * box] = x[box];
    places[4 * box + 1] = y[box];
    places[4 * box + 2] = width[box];
    places[4 * box + 3] = height[box];
  }
  return places;
}

/** Places on the way from one list to another. */
export function placesBetween(from: Places, to: Places, t: number): Places {
  const places = new Float64Array(to.length);
  for (let i = 0; i < to.length; i++) places[i] = from[i] + (to[i] - from[i]) * t;
  return places;
}

/**
 * Matches two pictures by item. A new box comes out of the old place of the scope around it,
 * and one that leaves goes into the new place of the scope that was around it.
 */
export function motionOf(old: Scenery, oldPlaces: Places, next: Scenery): Motion {
  const to = placesOf(next.picture);
  const count = next.picture.boxes.item.length;
  const from = new Float64Array(4 * count);
  const presence = new Uint8Array(count);
  for (let box = 0; box < count; box++) {
    const before = boxShowing(old.picture, next.picture.boxes.item[box]);
    if (before >= 0) copy(oldPlaces, before, from, box);
    else {
      presence[box] = APPEARS;
      carry(to, box, next.nest.parent[box], to, from, from);
    }
  }
  const leaving: number[] = [];
  const oldCount = old.picture.boxes.item.length;
  const gone = new Float64Array(4 * oldCount);
  for (let box = 0; box < oldCount; box++) {
    const after = boxShowing(next.picture, old.picture.boxes.item[box]);
    if (after >= 0) copy(to, after, gone, box);
    else {
      leaving.push(box);
      carry(oldPlaces, box, old.nest.parent[box], oldPlaces, gone, gone);
    }
  }
  const ghosts = Int32Array.from(leaving);
  const ghostsTo = new Float64Array(4 * ghosts.length);
  for (let i = 0; i < ghosts.length; i++) copy(gone, ghosts[i], ghostsTo, i);
  return { from, presence, ghosts: { boxes: ghosts, to: ghostsTo } };
}

/**
 * Where the points of the new curves come from: a wire that was there before is bent from its
 * old way, a new one comes out of the old place of its scope. Returns x and y by point, and
 * which wires are new.
 */
export function wireMotion(
  old: Scenery,
  next: Scenery,
  motion: Motion,
): { readonly x: Float64Array; readonly y: Float64Array; readonly presence: Uint8Array } {
  const { wires } = next.picture;
  const curves = next.curves;
  const before = new Map<string, number>();
  const was = old.picture.wires;
  for (let wire = 0; wire < was.source.length; wire++) {
    before.set(`${was.source[wire]},${was.target[wire]},${was.edge[wire]}`, wire);
  }
  const to = placesOf(next.picture);
  const x = new Float64Array(curves.x.length);
  const y = new Float64Array(curves.y.length);
  const presence = new Uint8Array(wires.source.length);
  const point = new Float64Array(4);
  for (let wire = 0; wire < wires.source.length; wire++) {
    const first = curves.start[wire];
    const end = curves.start[wire + 1];
    const same = before.get(`${wires.source[wire]},${wires.target[wire]},${wires.edge[wire]}`);
    if (same !== undefined) {
      for (let i = first; i < end; i++) {
        const [px, py] = along(old.curves, same, (i - first) / Math.max(end - first - 1, 1));
        x[i] = px;
        y[i] = py;
      }
      continue;
    }
    presence[wire] = APPEARS;
    const scope = scopeOfWire(
      next.nest,
      boxShowing(next.picture, wires.source[wire]),
      boxShowing(next.picture, wires.target[wire]),
    );
    for (let i = first; i < end; i++) {
      point[0] = curves.x[i];
      point[1] = curves.y[i];
      carry(point, 0, scope, to, motion.from, point);
      x[i] = point[0];
      y[i] = point[1];
    }
  }
  return { x, y, presence };
}

/** The box that is an item, -1 if the item has none of its own. */
export function boxShowing(picture: Picture, item: number): number {
  const box = picture.boxOf[item] ?? -1;
  return box >= 0 && picture.boxes.item[box] === item ? box : -1;
}

/** The box of the scope that a wire runs in, -1 for the outermost. */
export function scopeOfWire(nest: Nest, source: number, target: number): number {
  const { parent } = nest;
  if (source < 0) return target < 0 ? -1 : parent[target];
  if (target < 0) return parent[source];
  if (parent[target] === source) return source;
  if (parent[source] === target) return target;
  return source === target ? source : parent[source];
}

/** Moves the place `at` as its scope is moved from one list of places to another. */
function carry(
  places: Places,
  at: number,
  scope: number,
  scopesFrom: Places,
  scopesTo: Places,
  result: Places,
): void {
  if (scope < 0) {
    if (places !== result) copy(places, at, result, at);
    return;
  }
  const s = 4 * scope;
  const i = 4 * at;
  const scaleX = scopesTo[s + 2] / Math.max(scopesFrom[s + 2], 1e-9);
  const scaleY = scopesTo[s + 3] / Math.max(scopesFrom[s + 3], 1e-9);
  const left = scopesTo[s] + (places[i] - scopesFrom[s]) * scaleX;
  const top = scopesTo[s + 1] + (places[i + 1] - scopesFrom[s + 1]) * scaleY;
  const width = places[i + 2] * scaleX;
  const height = places[i + 3] * scaleY;
  result[i] = left;
  result[i + 1] = top;
  result[i + 2] = width;
  result[i + 3] = height;
}

function copy(source: Places, at: number, target: Places, to: number): void {
  for (let k = 0; k < 4; k++) target[4 * to + k] = source[4 * at + k];
}
