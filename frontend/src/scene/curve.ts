/** Smooth curves through the points of wires, cut into short straight pieces. */

import type { Wires } from "../layout/picture";

/** Points of all wires one after another: wire `i` has `start[i] … start[i + 1] - 1`. */
export interface Curves {
  readonly start: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Pieces that one span between two given points is cut into at most. */
const FINEST = 10;

/**
 * Cuts the curves of wires into pieces: more where they bend, one where they run straight, and
 * fewer for all when there are many wires, so that `budget` points suffice.
 */
export function curvesOf(wires: Wires, budget = 400_000): Curves {
  const count = wires.start.length - 1;
  const given = wires.x.length;
  const most = Math.max(1, Math.min(FINEST, Math.floor(budget / Math.max(given, 1))));
  const start = new Int32Array(count + 1);
  let total = 0;
  for (let wire = 0; wire < count; wire++) {
    start[wire] = total;
    const first = wires.start[wire];
    const last = wires.start[wire + 1] - 1;
    for (let point = first; point < last; point++) {
      total += pieces(wires.x, wires.y, point, most);
    }
    if (last >= first) total++;
  }
  start[count] = total;
  const x = new Float64Array(total);
  const y = new Float64Array(total);
  let at = 0;
  for (let wire = 0; wire < count; wire++) {
    const first = wires.start[wire];
    const last = wires.start[wire + 1] - 1;
    for (let point = first; point < last; point++) {
      const cut = pieces(wires.x, wires.y, point, most);
      const width = wires.x[point + 1] - wires.x[point];
      const height = wires.y[point + 1] - wires.y[point];
      for (let piece = 0; piece < cut; piece++) {
        const t = piece / cut;
        x[at] = wires.x[point] + width * across(t);
        y[at] = wires.y[point] + height * down(t);
        at++;
      }
    }
    if (last >= first) {
      x[at] = wires.x[last];
      y[at] = wires.y[last];
      at++;
    }
  }
  return { start, x, y };
}

/** How many pieces the span from `point` to the next one needs: one if it is straight. */
function pieces(x: Float64Array, y: Float64Array, point: number, most: number): number {
  const across = Math.abs(x[point + 1] - x[point]);
  const down = Math.abs(y[point + 1] - y[point]);
  if (across < 0.5 || down < 0.5) return 1;
  return Math.min(most, 4 + Math.ceil(Math.sqrt(across + down) / 2));
}

/** How far across, and how far down, a span is at `t`: it leaves and arrives vertically. */
function across(t: number): number {
  return t * t * (3 - 2 * t);
}
function down(t: number): number {
  return t * (1.5 + t * (t - 1.5));
}

/** The point a fraction `t` of the way along the pieces of a wire (by number of pieces). */
export function along(curves: Curves, wire: number, t: number): readonly [number, number] {
  const first = curves.start[wire];
  const spans = curves.start[wire + 1] - 1 - first;
  if (spans < 0) return [0, 0];
  const exact = Math.min(Math.max(t, 0), 1) * spans;
  const whole = Math.min(Math.floor(exact), Math.max(spans - 1, 0));
  const from = first + whole;
  const to = Math.min(from + 1, first + spans);
  const rest = exact - whole;
  return [
    curves.x[from] + (curves.x[to] - curves.x[from]) * rest,
    curves.y[from] + (curves.y[to] - curves.y[from]) * rest,
  ];
}
