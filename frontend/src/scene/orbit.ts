/** From flat to solid: the projection of 2D and 3D, and its inverse on a plane. */

import type { Matrix4 } from "three";
import { fitting, type Point, type Rect, type Screen } from "./camera";
import type { Camera } from "./stage";

/** How the picture is tilted. All zero is 2D, exactly. */
export interface Orbit {
  /** 0 for 2D to 1 for 3D; between them perspective and tilt grow together. */
  readonly amount: number;
  /** Angle from looking straight down, and around the upright axis, in radians. */
  readonly tilt: number;
  readonly turn: number;
}

/** Where 3D starts: tilted so that storeys show, turned so that corners do. */
export const FIRST_ORBIT = { tilt: 0.74, turn: -0.34 };

/** Flattest and steepest tilt that one can turn to. */
export const TILTS = [0, 1.3] as const;

const HALF_VIEW = Math.tan((34 / 2) * (Math.PI / 180));
const NEAR = 0.05;
const FAR = 60;

interface Terms {
  readonly across: number;
  readonly down: number;
  readonly near: number;
  readonly cosTurn: number;
  readonly sinTurn: number;
  readonly cosTilt: number;
  readonly sinTilt: number;
}

function terms(camera: Camera, screen: Screen, orbit: Orbit): Terms {
  const turn = orbit.turn * orbit.amount;
  const tilt = orbit.tilt * orbit.amount;
  return {
    across: (2 * camera.zoom) / screen.width,
    down: (2 * camera.zoom) / screen.height,
    near: (orbit.amount * 2 * HALF_VIEW * camera.zoom) / screen.height,
    cosTurn: Math.cos(turn),
    sinTurn: Math.sin(turn),
    cosTilt: Math.cos(tilt),
    sinTilt: Math.sin(tilt),
  };
}

/** Writes the matrix from pixels off the eye (x right, y down, z up to the viewer) to the screen. */
export function project(matrix: Matrix4, camera: Camera, screen: Screen, orbit: Orbit): void {
  const t = terms(camera, screen, orbit);
  // Rows of the turned and tilted axes; picture y points down, so its terms are negated.
  const xx = t.cosTurn;
  const xy = t.sinTurn;
  const yx = t.sinTurn * t.cosTilt;
  const yy = -t.cosTurn * t.cosTilt;
  const yz = t.sinTilt;
  const zx = -t.sinTurn * t.sinTilt;
  const zy = t.cosTurn * t.sinTilt;
  const zz = t.cosTilt;
  const a = (FAR + NEAR) / (FAR - NEAR);
  const b = (2 * FAR * NEAR) / (FAR - NEAR);
  const flat = orbit.amount === 0;
  const depth = flat ? 0 : -a * t.near;
  matrix.set(
    t.across * xx,
    t.across * xy,
    0,
    0,
    t.down * yx,
    t.down * yy,
    t.down * yz,
    0,
    depth * zx,
    depth * zy,
    depth * zz,
    flat ? 0 : a - b,
    -t.near * zx,
    -t.near * zy,
    -t.near * zz,
    1,
  );
}

/** Where a point of the picture at height `z` is on the canvas, in CSS pixels. */
export function seenAt(
  camera: Camera,
  screen: Screen,
  orbit: Orbit,
  x: number,
  y: number,
  z: number,
): Point {
  const t = terms(camera, screen, orbit);
  const dx = x - camera.x;
  const dy = y - camera.y;
  const right = t.cosTurn * dx + t.sinTurn * dy;
  const back = t.sinTurn * dx - t.cosTurn * dy;
  const up = back * t.cosTilt + z * t.sinTilt;
  const toward = -back * t.sinTilt + z * t.cosTilt;
  const w = Math.max(1 - t.near * toward, 1e-3);
  return {
    x: (0.5 + (0.5 * t.across * right) / w) * screen.width,
    y: (0.5 - (0.5 * t.down * up) / w) * screen.height,
  };
}

/** Which point of the picture at height `z` is under a point of the canvas; null above the horizon. */
export function under(
  camera: Camera,
  screen: Screen,
  orbit: Orbit,
  at: Point,
  z: number,
): Point | null {
  const t = terms(camera, screen, orbit);
  const u = (2 * at.x) / screen.width - 1;
  const v = 1 - (2 * at.y) / screen.height;
  // v * (1 - near * (z cosTilt - back sinTilt)) = down * (back cosTilt + z sinTilt)
  const divisor = t.down * t.cosTilt - v * t.near * t.sinTilt;
  if (divisor <= 1e-12) return null;
  const back = (v * (1 - t.near * z * t.cosTilt) - t.down * z * t.sinTilt) / divisor;
  const w = 1 - t.near * (z * t.cosTilt - back * t.sinTilt);
  if (w <= 1e-3) return null;
  const right = (u * w) / t.across;
  return {
    x: camera.x + t.cosTurn * right + t.sinTurn * back,
    y: camera.y + t.sinTurn * right - t.cosTurn * back,
  };
}

/** The camera that shows a part of the picture, and what stands on it, when tilted. */
export function fittingTilted(part: Rect, screen: Screen, orbit: Orbit, height: number): Camera {
  let camera = fitting(part, screen);
  const corners = [0, 1].flatMap((across) =>
    [0, 1].flatMap((down) =>
      [0, height].map(
        (z) => [part.x + across * part.width, part.y + down * part.height, z] as const,
      ),
    ),
  );
  // Perspective makes this a search; it settles within a few steps.
  for (let step = 0; step < 8; step++) {
    const seen = corners.map(([x, y, z]) => seenAt(camera, screen, orbit, x, y, z));
    const xs = seen.map((point) => point.x);
    const ys = seen.map((point) => point.y);
    const left = Math.min(...xs);
    const top = Math.min(...ys);
    const width = Math.max(...xs) - left;
    const high = Math.max(...ys) - top;
    const middle = { x: left + width / 2, y: top + high / 2 };
    const next = under(camera, screen, orbit, middle, 0) ?? camera;
    const fit = Math.min((screen.width - 48) / width, (screen.height - 48) / high);
    camera = {
      x: next.x,
      y: next.y,
      zoom: Math.min(camera.zoom * Math.min(Math.max(fit, 0.4), 1.6), 1.5),
    };
  }
  return camera;
}
