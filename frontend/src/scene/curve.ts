/** The curves of wires, cut into short straight pieces, and as SVG writes them. */

import type { Wires } from "../layout/picture";

/** Points of all wires one after another: wire `i` has `start[i] … start[i + 1] - 1`. */
export interface Curves {
  readonly start: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Pieces that the stretch between two given points is cut into at most. */
const FINEST = 16;

/** Straight end of a wire in pixels: about the length of an arrow head. */
const LEAD = 7;

/**
 * Cuts the curves of wires into pieces: more where they bend, one where they run straight, and
 * fewer for all when there are many wires, so that about `budget` points suffice.
 */
export function curvesOf(wires: Wires, budget = 400_000): Curves {
  const count = wires.start.length - 1;
  const most = Math.max(1, Math.min(FINEST, Math.floor(budget / Math.max(wires.x.length, 1))));
  const start = new Int32Array(count + 1);
  let total = 0;
  for (let wire = 0; wire < count; wire++) {
    start[wire] = total;
    const last = wires.start[wire + 1] - 1;
    for (let point = wires.start[wire]; point < last; point++) {
      total += pieces(wires, point, most) + (leadOf(wires, point, last) > 0 ? 1 : 0);
    }
    if (last >= wires.start[wire]) total++;
  }
  start[count] = total;
  const x = new Float64Array(total);
  const y = new Float64Array(total);
  let at = 0;
  for (let wire = 0; wire < count; wire++) {
    const last = wires.start[wire + 1] - 1;
    for (let point = wires.start[wire]; point < last; point++) {
      const cut = pieces(wires, point, most);
      const x0 = wires.x[point];
      const y0 = wires.y[point];
      const dx = wires.x[point + 1] - x0;
      const lead = leadOf(wires, point, last);
      const dy = wires.y[point + 1] - lead - y0;
      for (let piece = 0; piece < cut; piece++) {
        // The Bézier curve whose control points lie at half height.
        const t = finer(piece / cut);
        const s = 1 - t;
        x[at] = x0 + dx * t * t * (3 - 2 * t);
        y[at] = y0 + dy * (1.5 * s * t + t * t * t);
        at++;
      }
      if (lead > 0) {
        x[at] = wires.x[point + 1];
        y[at] = wires.y[point + 1] - lead;
        at++;
      }
    }
    if (last >= wires.start[wire]) {
      x[at] = wires.x[last];
      y[at] = wires.y[last];
      at++;
    }
  }
  return { start, x, y };
}

/** Length of a wire along its pieces, in pixels. */
export function lengthOf({ start, x, y }: Curves, wire: number): number {
  let length = 0;
  for (let i = start[wire]; i < start[wire + 1] - 1; i++) {
    length += Math.hypot(x[i + 1] - x[i], y[i + 1] - y[i]);
  }
  return length;
}

/** The point of a wire that is `far` pixels along it from its source. */
export function pointAt(
  { start, x, y }: Curves,
  wire: number,
  far: number,
): readonly [number, number] {
  const last = start[wire + 1] - 1;
  let left = far;
  for (let i = start[wire]; i < last; i++) {
    const piece = Math.hypot(x[i + 1] - x[i], y[i + 1] - y[i]);
    if (piece >= left && piece > 0) {
      const t = left / piece;
      return [x[i] + (x[i + 1] - x[i]) * t, y[i] + (y[i + 1] - y[i]) * t];
    }
    left -= piece;
  }
  return [x[last], y[last]];
}

/** A wire as the `d` of an SVG path, relative to (`left`, `top`); "" if it has no length. */
export function pathOf(wires: Wires, wire: number, left: number, top: number): string {
  const first = wires.start[wire];
  const last = wires.start[wire + 1] - 1;
  if (last <= first) return "";
  const x = (point: number) => short(wires.x[point] - left);
  const y = (point: number) => short(wires.y[point] - top);
  let path = `M${x(first)} ${y(first)}`;
  for (let point = first; point < last; point++) {
    if (isStraight(wires, point)) path += `L${x(point + 1)} ${y(point + 1)}`;
    else {
      const lead = leadOf(wires, point, last);
      const half = short((wires.y[point] + wires.y[point + 1] - lead) / 2 - top);
      const end = short(wires.y[point + 1] - lead - top);
      path += `C${x(point)} ${half} ${x(point + 1)} ${half} ${x(point + 1)} ${end}`;
      if (lead > 0) path += `V${y(point + 1)}`;
    }
  }
  return path;
}

/** A number with at most two decimals. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** How far a curve runs straight down at its end, so that an arrow head points as it does. */
function leadOf(wires: Wires, point: number, last: number): number {
  if (point + 1 !== last || isStraight(wires, point)) return 0;
  return wires.y[last] - wires.y[point] > 3 * LEAD ? LEAD : 0;
}

/** Puts pieces closer together at both ends, where the curve bends most. */
function finer(t: number): number {
  return 0.5 - 0.5 * Math.cos(Math.PI * t);
}

function isStraight(wires: Wires, point: number): boolean {
  const dx = wires.x[point + 1] - wires.x[point];
  const dy = wires.y[point + 1] - wires.y[point];
  return Math.abs(dx) < 0.5 || Math.abs(dy) < 0.5;
}

/** How many pieces a stretch needs: one if it is straight, more the more it bends. */
function pieces(wires: Wires, point: number, most: number): number {
  if (isStraight(wires, point)) return 1;
  const dx = Math.abs(wires.x[point + 1] - wires.x[point]);
  return Math.min(most, dx < 3 ? 4 : dx < 30 ? 10 : FINEST);
}
