/** Where each box and wire comes from when one picture follows another. */

import { pairTable } from "../layout/pairs";
import type { Picture, Wires } from "../layout/picture";
import type { Rect } from "./camera";
import type { Curves } from "./curve";
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

/** Instead of the wire that one was: there was none, or nobody sees. */
export const NEW = -1;
const UNSEEN = -2;

/** Where wires come from. */
export interface WireMotion {
  /** By point of the new curves. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** By wire of the new picture: whether it appears, and the wire that it was, or `NEW`. */
  readonly presence: Uint8Array;
  readonly was: Int32Array;
}

/** Which boxes can be seen before or after they move, by what is in view then. */
export function boxesSeen(from: Places, to: Places, before: Rect, after: Rect): Uint8Array {
  const touches = (places: Places, i: number, view: Rect) =>
    places[i] < view.x + view.width &&
    places[i + 1] < view.y + view.height &&
    places[i] + places[i + 2] > view.x &&
    places[i + 1] + places[i + 3] > view.y;
  return Uint8Array.from({ length: to.length / 4 }, (_, box) =>
    touches(from, 4 * box, before) || touches(to, 4 * box, after) ? 1 : 0,
  );
}

/**
 * Where the points of the new curves come from: a wire that was there before is bent from its
 * old way, a new one comes out of the old place of its scope. Wires at boxes that are not `seen`
 * are in their new places at once: there can be a hundred thousand.
 */
export function wireMotion(
  old: Scenery,
  next: Scenery,
  motion: Motion,
  seen: Uint8Array,
): WireMotion {
  const { boxes, wires, boxOf } = next.picture;
  const { curves } = next;
  const isNear = new Uint8Array(boxOf.length);
  for (let box = 0; box < seen.length; box++) isNear[boxes.item[box]] = seen[box];
  const was = matched(old.picture.wires, wires, isNear);
  const to = placesOf(next.picture);
  const x = curves.x.slice();
  const y = curves.y.slice();
  const presence = new Uint8Array(wires.source.length);
  const point = new Float64Array(4);
  for (let wire = 0; wire < wires.source.length; wire++) {
    const first = curves.start[wire];
    const end = curves.start[wire + 1];
    if (was[wire] >= 0) bend(old.curves, was[wire], first, end, x, y);
    if (was[wire] !== NEW) continue;
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
  return { x, y, presence, was };
}

/** The wire of the old picture that each of the new one was: with the same edge and ends. */
function matched(old: Wires, next: Wires, isNear: Uint8Array): Int32Array {
  const near = ({ source, target }: Wires, wire: number) =>
    isNear[source[wire]] === 1 || isNear[target[wire]] === 1;
  const known = pairTable(1024);
  // An edge leaves an item once, so the number of a pair is mostly that of its only wire.
  const wireOf: number[] = [];
  for (let wire = 0; wire < old.source.length; wire++) {
    if (!near(old, wire)) continue;
    const pair = known.add(old.edge[wire], old.source[wire]);
    if (pair === wireOf.length) wireOf.push(wire);
  }
  return next.source.map((source, wire) => {
    if (!near(next, wire)) return UNSEEN;
    const pair = known.find(next.edge[wire], source);
    return pair >= 0 && old.target[wireOf[pair]] === next.target[wire] ? wireOf[pair] : NEW;
  });
}

/** Spreads points `first … end - 1` along the way of an old wire. */
function bend(
  { start, x, y }: Curves,
  wire: number,
  first: number,
  end: number,
  toX: Float64Array,
  toY: Float64Array,
): void {
  const from = start[wire];
  const spans = start[wire + 1] - 1 - from;
  const step = spans / Math.max(end - first - 1, 1);
  for (let i = first; i < end; i++) {
    const exact = (i - first) * step;
    const whole = Math.min(Math.floor(exact), Math.max(spans - 1, 0));
    const at = from + whole;
    const next = Math.min(at + 1, from + spans);
    toX[i] = x[at] + (x[next] - x[at]) * (exact - whole);
    toY[i] = y[at] + (y[next] - y[at]) * (exact - whole);
  }
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
