/** Camera arithmetic: between picture, screen and what is to be seen. Plain functions. */

import type { Camera } from "./stage";

/** Size of the canvas in CSS pixels. */
export interface Screen {
  readonly width: number;
  readonly height: number;
}

/** A rectangle; in picture coordinates unless said otherwise. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A point. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Farthest that one can zoom in: screen pixels per picture pixel. */
export const CLOSEST = 6;

/** Where a point of the picture is on the canvas. */
export function toScreen(camera: Camera, screen: Screen, x: number, y: number): Point {
  return {
    x: (x - camera.x) * camera.zoom + screen.width / 2,
    y: (y - camera.y) * camera.zoom + screen.height / 2,
  };
}

/** Which point of the picture is under a point of the canvas. */
export function toPicture(camera: Camera, screen: Screen, x: number, y: number): Point {
  return {
    x: (x - screen.width / 2) / camera.zoom + camera.x,
    y: (y - screen.height / 2) / camera.zoom + camera.y,
  };
}

/** The part of the picture that is on the canvas, and `margin` screen pixels around it. */
export function viewOf(camera: Camera, screen: Screen, margin = 0): Rect {
  const width = (screen.width + 2 * margin) / camera.zoom;
  const height = (screen.height + 2 * margin) / camera.zoom;
  return { x: camera.x - width / 2, y: camera.y - height / 2, width, height };
}

/** The camera that shows a rectangle, with `margin` screen pixels free on all sides. */
export function fitting(rect: Rect, screen: Screen, margin = 32, closest = 1.25): Camera {
  const across = Math.max(screen.width - 2 * margin, 32) / Math.max(rect.width, 1);
  const down = Math.max(screen.height - 2 * margin, 32) / Math.max(rect.height, 1);
  return {
    x: rect.x + rect.width / 2,
    y: rect.y + rect.height / 2,
    zoom: Math.min(across, down, closest),
  };
}

/** Smallest zoom that makes sense for a picture: a third of what shows all of it. */
export function farthest(width: number, height: number, screen: Screen): number {
  return Math.min(fitting({ x: 0, y: 0, width, height }, screen).zoom / 3, 0.5);
}

/** Zooms by a factor so that the point of the picture under (x, y) of the canvas stays there. */
export function zoomedAt(
  camera: Camera,
  screen: Screen,
  at: Point,
  factor: number,
  least: number,
): Camera {
  const zoom = Math.min(Math.max(camera.zoom * factor, least), CLOSEST);
  const under = toPicture(camera, screen, at.x, at.y);
  return {
    x: under.x - (at.x - screen.width / 2) / zoom,
    y: under.y - (at.y - screen.height / 2) / zoom,
    zoom,
  };
}

/** Keeps a part of the picture on the canvas, however far one drags. */
export function kept(camera: Camera, screen: Screen, width: number, height: number): Camera {
  const freeX = Math.max(screen.width / 2 - 48, 0) / camera.zoom;
  const freeY = Math.max(screen.height / 2 - 48, 0) / camera.zoom;
  const x = Math.min(Math.max(camera.x, -freeX), width + freeX);
  const y = Math.min(Math.max(camera.y, -freeY), height + freeY);
  return x === camera.x && y === camera.y ? camera : { x, y, zoom: camera.zoom };
}

/** Slow start and slow end, from 0 to 1. */
export function eased(t: number): number {
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/**
 * A flight from one camera to another: far moves go out, over and in again, so that one sees
 * where one is going. The path is van Wijk and Nuij's ("Smooth and efficient zooming and
 * panning", 2003) with rho = 1.2.
 */
export function flight(from: Camera, to: Camera, screen: Screen): (t: number) => Camera {
  const rho = 1.2;
  const wide = Math.max(screen.width, screen.height, 1);
  const w0 = wide / from.zoom;
  const w1 = wide / to.zoom;
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const far = Math.hypot(dx, dy);
  if (far < 1e-3 * Math.min(w0, w1)) {
    const ratio = Math.log(to.zoom / from.zoom);
    return (t) => ({
      x: from.x + dx * t,
      y: from.y + dy * t,
      zoom: t >= 1 ? to.zoom : from.zoom * Math.exp(ratio * t),
    });
  }
  const grown = w1 * w1 - w0 * w0;
  const b0 = (grown + rho ** 4 * far * far) / (2 * w0 * rho * rho * far);
  const b1 = (grown - rho ** 4 * far * far) / (2 * w1 * rho * rho * far);
  const r0 = -Math.asinh(b0);
  const r1 = -Math.asinh(b1);
  const length = (r1 - r0) / rho;
  return (t) => {
    if (t >= 1) return to;
    const s = t * length;
    const w = (w0 * Math.cosh(r0)) / Math.cosh(rho * s + r0);
    const u = (w0 / (rho * rho)) * (Math.cosh(r0) * Math.tanh(rho * s + r0) - Math.sinh(r0));
    return {
      x: from.x + (dx * u) / far,
      y: from.y + (dy * u) / far,
      zoom: wide / w,
    };
  };
}

/** Tells whether two rectangles share a point. */
export function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
