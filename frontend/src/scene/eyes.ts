/** Where one looks from: camera and tilt, at rest or on their way. */

import { eased, fitting, flight, type Rect, type Screen, viewOf } from "./camera";
import { FIRST_ORBIT, fittingTilted, type Orbit, TILTS } from "./orbit";
import type { Camera } from "./stage";

/** Duration of a flight and of a change between 2D and 3D, in milliseconds. */
const FLIGHT = 380;
const TILTING = 600;

/** From where, how tilted, and on a canvas of what size one sees. */
export interface Sight {
  readonly camera: Camera;
  readonly screen: Screen;
  readonly orbit: Orbit;
}

/** Something that goes on for a while. */
export interface Passing {
  readonly begun: number;
  readonly lasts: number;
}

/** What moves the camera; times are those of animation frames, in milliseconds. */
export interface Eyes {
  readonly sight: () => Sight;
  /** Where the camera is when it has arrived. */
  readonly goal: () => Camera;
  readonly setScreen: (screen: Screen) => void;
  /** Puts the camera somewhere at once. */
  readonly put: (camera: Camera) => void;
  /** Flies there so that one sees where one is going. */
  readonly flyTo: (camera: Camera) => void;
  /** Goes straight there, in step with boxes that move. */
  readonly slideTo: (camera: Camera, passing: Passing) => void;
  /** Turns in 3D. */
  readonly turn: (dx: number, dy: number) => void;
  /** Changes to 2D or 3D, what is in view stays in view; `height` is that of the highest box. */
  readonly tilt: (solid: boolean, within: Rect, height: number, passing: Passing) => void;
  /** Moves on; true while there is somewhere to go. */
  readonly tick: (time: number) => boolean;
  readonly isTilting: () => boolean;
}

/** How far something has come, with a slow start and end: 1 if there is nothing. */
export function progress(passing: Passing | null, time: number): number {
  return passing === null ? 1 : eased((time - passing.begun) / Math.max(passing.lasts, 1));
}

/** A change between 2D and 3D that begins now; `still` if it is to be over at once. */
export function tilting(still: boolean): Passing {
  return { begun: performance.now(), lasts: still ? 1 : TILTING };
}

/** Makes eyes that look at the origin, in 2D. */
export function makeEyes(): Eyes {
  let camera: Camera = { x: 0, y: 0, zoom: 1 };
  let screen: Screen = { width: 1, height: 1 };
  let orbit: Orbit = { amount: 0, ...FIRST_ORBIT };
  let flying: (Passing & { readonly at: (t: number) => Camera }) | null = null;
  let tilts: (Passing & { readonly from: Orbit; readonly to: Orbit }) | null = null;
  // Where one looked from before 3D, and where 3D began, to go back the way one came.
  let flat: Camera | null = null;
  let begin: Camera | null = null;

  const straight = (end: Camera, passing: Passing) => {
    const start = camera;
    const ratio = end.zoom / start.zoom;
    flying = {
      ...passing,
      at: (t) => ({
        x: start.x + (end.x - start.x) * t,
        y: start.y + (end.y - start.y) * t,
        zoom: t >= 1 ? end.zoom : start.zoom * ratio ** t,
      }),
    };
  };

  return {
    sight: () => ({ camera, screen, orbit }),
    goal: () => (flying === null ? camera : flying.at(1)),
    setScreen: (size) => {
      screen = size;
    },
    put: (next) => {
      flying = null;
      camera = next;
    },
    flyTo: (next) => {
      flying = { begun: performance.now(), lasts: FLIGHT, at: flight(camera, next, screen) };
    },
    slideTo: straight,
    turn: (dx, dy) => {
      const tilt = Math.min(Math.max(orbit.tilt - dy * 0.006, TILTS[0]), TILTS[1]);
      orbit = { ...orbit, tilt, turn: orbit.turn - dx * 0.006 };
    },
    tilt: (solid, within, height, passing) => {
      const amount = solid ? 1 : 0;
      if ((tilts?.to ?? orbit).amount === amount) return;
      const to = { ...orbit, ...(solid ? FIRST_ORBIT : {}), amount };
      tilts = { ...passing, from: orbit, to };
      if (solid) {
        flat = camera;
        begin = fittingTilted(within, screen, to, height);
        straight(begin, passing);
      } else if (flat !== null && begin !== null) {
        const goal = flying === null ? camera : flying.at(1);
        const isThere = goal.x === begin.x && goal.y === begin.y && goal.zoom === begin.zoom;
        const zoom = (goal.zoom * flat.zoom) / begin.zoom;
        straight(isThere ? flat : { x: goal.x, y: goal.y, zoom }, passing);
      }
    },
    tick: (time) => {
      if (flying !== null) {
        camera = flying.at(progress(flying, time));
        if (time >= flying.begun + flying.lasts) flying = null;
      }
      if (tilts !== null) {
        const { from, to } = tilts;
        const t = progress(tilts, time);
        orbit = { ...orbit, ...to, amount: from.amount + (to.amount - from.amount) * t };
        if (time >= tilts.begun + tilts.lasts) tilts = null;
      }
      return flying !== null || tilts !== null;
    },
    isTilting: () => tilts !== null,
  };
}

/** The part of the picture that is in view; all of it if none is. */
export function inView(
  sight: Sight,
  picture: { readonly width: number; readonly height: number },
): Rect {
  const view = viewOf(sight.camera, sight.screen);
  const x = Math.max(view.x, 0);
  const y = Math.max(view.y, 0);
  const width = Math.min(view.x + view.width, picture.width) - x;
  const height = Math.min(view.y + view.height, picture.height) - y;
  if (width > 0 && height > 0) return { x, y, width, height };
  return { x: 0, y: 0, width: picture.width, height: picture.height };
}

/** The camera that shows a rectangle. */
export function showing(rect: Rect, sight: Sight): Camera {
  return sight.orbit.amount === 0
    ? fitting(rect, sight.screen)
    : fittingTilted(rect, sight.screen, sight.orbit, 0);
}
