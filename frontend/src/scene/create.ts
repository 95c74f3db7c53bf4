/** Makes the stage: pictures that follow each other, and the frames that show them. */

import type { Item } from "../graph/network";
import { type Point, viewOf } from "./camera";
import { curvesOf } from "./curve";
import type { Before, Drawing, Heights } from "./drawing";
import { inView, makeEyes, type Passing, progress, showing, tilting } from "./eyes";
import { handle } from "./hand";
import { heightMotion, heightsBetween, heightsOf, topMost } from "./heights";
import { boxUnder, rectAround, rectOn, shiftOf, signUnder } from "./hits";
import { seen } from "./lettering";
import { boxesSeen, motionOf, placesBetween, placesOf, type Scenery, wireMotion } from "./motion";
import { nestOf } from "./nest";
import { makeNotes, type Notes } from "./notes";
import type { Camera, Dimension, Paint, Stage, StageEvents } from "./stage";
import { createStill } from "./still";
import { makeSurface, type Surface, type View } from "./surface";
import { makeTexts, type Texts } from "./texts";

/** Duration of a change from one picture to the next, in milliseconds. */
const GLIDE = 260;

/**
 * Makes a canvas in a container, which it fills. Without WebGL 2 it says so by `onTrouble`, and
 * shows pictures as SVG.
 */
export function createStage(container: HTMLElement, events: StageEvents): Stage {
  let surface: Surface;
  try {
    surface = makeSurface(container);
  } catch (error) {
    return createStill(container, events, error instanceof Error ? error.message : String(error));
  }
  const { canvas, space, atlas } = surface;
  const eyes = makeEyes();
  let drawing: Drawing | null = null;
  let texts: Texts | null = null;
  let notes: Notes | null = null;
  let paint: Paint | null = null;
  // Boxes are numbered anew by each picture: the first paint after it counts in full.
  let fresh = true;
  let dimension: Dimension = "2d";
  let volume: (box: number) => number = () => 0;
  let low: Heights | null = null;
  let high: Heights | null = null;
  let raising: Passing | null = null;
  let gliding: Passing | null = null;
  let isSolid = false;
  let ratio = 1;
  let placed = false;
  let told: Camera | null = null;
  let frame = 0;
  let lost = false;
  const counted = { frames: 0, script: 0, calls: 0 };

  const ask = () => {
    if (frame === 0 && !lost) frame = requestAnimationFrame(tick);
  };

  const tick = (time: number) => {
    frame = 0;
    const begun = performance.now();
    let busy = eyes.tick(time);
    space.moved.value = progress(gliding, time);
    if (gliding !== null && time >= gliding.begun + gliding.lasts) {
      gliding = null;
      drawing?.settle();
    }
    space.raised.value = progress(raising, time);
    if (raising !== null && time >= raising.begun + raising.lasts) {
      raising = null;
      low = high;
      space.tall.value = dimension === "2d" ? 0 : 1;
    }
    busy ||= gliding !== null || raising !== null;
    if (isSolid !== wantsSolid()) setSolid();
    draw();
    tellCamera();
    if (busy || atlas.wanting()) ask();
    counted.frames++;
    counted.script += performance.now() - begun;
  };

  const tellCamera = () => {
    const { camera } = eyes.sight();
    if (told?.x === camera.x && told.y === camera.y && told.zoom === camera.zoom) return;
    told = camera;
    events.onCamera(camera);
  };

  const wantsSolid = () => eyes.sight().orbit.amount > 0 || eyes.isTilting() || dimension !== "2d";

  const setSolid = () => {
    isSolid = wantsSolid();
    surface.setSolid(drawing, isSolid);
    resize();
  };

  /** Height of a box's top just now. */
  const topOf = (box: number): number => {
    if (high === null || low === null) return 0;
    return low.top[box] + (high.top[box] - low.top[box]) * space.raised.value;
  };

  const view = (): View | null =>
    drawing === null || paint === null || texts === null || notes === null
      ? null
      : { drawing, texts, notes, paint, sight: eyes.sight(), top: topOf };

  const draw = () => {
    if (!lost) counted.calls = surface.draw(view());
  };

  const resize = () => {
    const { screen } = eyes.sight();
    const width = Math.max(container.clientWidth, 1);
    const height = Math.max(container.clientHeight, 1);
    const finest = Math.min(globalThis.devicePixelRatio || 1, 3);
    // Bodies have slanted edges, which are smooth when drawn twice as fine as they are shown.
    const fine = isSolid ? Math.max(finest, 2) : finest;
    if (width === screen.width && height === screen.height && fine === ratio) return;
    ratio = fine;
    eyes.setScreen({ width, height });
    surface.setSize({ width, height }, fine);
    if (drawing !== null && !placed) bring(null, { animate: false });
    // Drawn at once: a canvas that changes its size is empty until then.
    draw();
    ask();
  };

  const goTo = (camera: Camera, animate: boolean) => {
    placed = true;
    if (animate && !prefersStill()) eyes.flyTo(camera);
    else eyes.put(camera);
    ask();
  };

  /** Gives a new picture its heights; while it glides, they glide too. */
  const setHeights = (scenery: Scenery, before: Before | null) => {
    const to = heightsOf(scenery, dimension, volume);
    const isTall = dimension !== "2d" || raising !== null;
    if (before !== null && isTall && low !== null && high !== null) {
      const now = heightsBetween(low, high, progress(raising, performance.now()));
      const { drawing: old, motion } = before;
      ({ low, high } = heightMotion(old.scenery, now, scenery, to, motion.ghosts));
      raising = gliding;
      space.raised.value = 0;
    } else {
      low = high = to;
      raising = null;
    }
    if (isTall) drawing?.raise(low, high);
    space.tall.value = isTall ? 1 : 0;
  };

  const bring: Stage["fit"] = (items, { animate }) => {
    const rect = drawing === null ? null : rectAround(drawing.scenery.picture, items);
    if (rect !== null) goTo(showing(rect, eyes.sight()), animate);
  };

  const itemAt = (at: Point): Item | null => {
    if (drawing === null) return null;
    const { scenery } = drawing;
    const highest = high === null || !isSolid ? 0 : topMost(high);
    const box = boxUnder(scenery, eyes.sight(), at, topOf, highest);
    return box < 0 ? null : scenery.picture.boxes.item[box];
  };

  const signAt = (at: Point): Item | null =>
    drawing === null
      ? null
      : signUnder(drawing.scenery, eyes.sight(), at, (item) => texts?.caption(item).scope === true);

  const stopListening = handle(
    canvas,
    {
      sight: eyes.sight,
      size: () => drawing?.scenery.picture ?? { width: 1, height: 1 },
      item: itemAt,
      sign: signAt,
      move: (camera) => {
        eyes.put(camera);
        ask();
      },
      turn: (dx, dy) => {
        eyes.turn(dx, dy);
        ask();
      },
      timed: (handler) => {
        const begun = performance.now();
        handler();
        counted.script += performance.now() - begun;
      },
    },
    events,
  );

  const onLost = (event: Event) => {
    event.preventDefault();
    lost = true;
    if (frame !== 0) cancelAnimationFrame(frame);
    frame = 0;
    events.onTrouble("The browser took the graphics card away from this page; waiting for it.");
  };
  const onRestored = () => {
    lost = false;
    atlas.reset();
    if (paint !== null) surface.setColours(paint.colours);
    events.onTrouble("");
    ask();
  };
  canvas.addEventListener("webglcontextlost", onLost);
  canvas.addEventListener("webglcontextrestored", onRestored);
  const observer = new ResizeObserver(resize);
  observer.observe(container);
  resize();

  return {
    element: canvas,
    show: (picture, caption, { animate, anchor, wireLabel }) => {
      const scenery: Scenery = {
        picture,
        nest: nestOf(picture),
        curves: curvesOf(picture.wires),
      };
      const old = drawing;
      const now = performance.now();
      const places = old === null ? null : placesBetween(old.from, old.to, progress(gliding, now));
      const { camera: eye, screen, orbit } = eyes.sight();
      const view = seen(eye, screen, orbit.amount);
      const shift =
        anchor === null || old === null || places === null
          ? null
          : shiftOf(anchor, old.scenery.picture, places, picture, viewOf(eye, screen));
      let before: Before | null = null;
      if (old !== null && places !== null && animate && !prefersStill()) {
        const motion = motionOf(old.scenery, places, scenery);
        const after = { ...view, x: view.x + (shift?.x ?? 0), y: view.y + (shift?.y ?? 0) };
        const near = boxesSeen(motion.from, placesOf(picture), view, after);
        const wires = wireMotion(old.scenery, scenery, motion, near);
        before = { drawing: old, places, motion, wires };
      }
      drawing = surface.place(scenery, before, old);
      texts = makeTexts(atlas, caption, wireLabel);
      notes = makeNotes(scenery, atlas, texts.wireLabel);
      fresh = true;
      gliding = before === null ? null : { begun: now, lasts: GLIDE };
      space.moved.value = before === null ? 1 : 0;
      if (before === null) drawing.settle();
      setHeights(scenery, before);
      setSolid();
      if (shift !== null) {
        const { x, y, zoom } = eyes.goal();
        const camera = { x: x + shift.x, y: y + shift.y, zoom };
        if (gliding === null) eyes.put(camera);
        else eyes.slideTo(camera, gliding);
      }
      if (!placed && eyes.sight().screen.width > 1) bring(null, { animate: false });
      ask();
    },
    paint: (next) => {
      if (drawing === null) return;
      if (paint?.colours !== next.colours) surface.setColours(next.colours);
      drawing.paint(next, fresh ? null : paint);
      fresh = false;
      paint = next;
      ask();
    },
    setDimension: (next, height) => {
      dimension = next;
      volume = height;
      if (drawing === null) {
        eyes.tilt(next !== "2d", { x: 0, y: 0, width: 1, height: 1 }, 0, tilting(true));
        return;
      }
      const { scenery } = drawing;
      const to = heightsOf(scenery, next, height);
      const passing = tilting(prefersStill());
      low = low === null || high === null ? to : heightsBetween(low, high, space.raised.value);
      high = to;
      drawing.raise(low, high);
      raising = passing;
      space.tall.value = 1;
      space.raised.value = 0;
      const sight = eyes.sight();
      eyes.tilt(next !== "2d", inView(sight, scenery.picture), topMost(to), passing);
      setSolid();
      ask();
    },
    camera: eyes.goal,
    setCamera: (camera, { animate }) => goTo(camera, animate),
    fit: bring,
    pick: (clientX, clientY) => {
      const rect = canvas.getBoundingClientRect();
      return itemAt({ x: clientX - rect.left, y: clientY - rect.top });
    },
    rectOf: (item) => {
      if (drawing === null) return null;
      const { picture } = drawing.scenery;
      const rect = rectOn(picture, item, eyes.sight(), topOf(picture.boxOf[item]));
      const around = canvas.getBoundingClientRect();
      return rect === null
        ? null
        : new DOMRect(around.left + rect.x, around.top + rect.y, rect.width, rect.height);
    },
    toPng: async ({ whole, scale }) => {
      const shown = view();
      if (shown === null) throw new Error("There is no picture yet.");
      return surface.toPng(shown, whole, scale);
    },
    statistics: () => ({ ...counted }),
    dispose: () => {
      if (frame !== 0) cancelAnimationFrame(frame);
      lost = true;
      stopListening();
      observer.disconnect();
      canvas.removeEventListener("webglcontextlost", onLost);
      canvas.removeEventListener("webglcontextrestored", onRestored);
      drawing?.dispose();
      surface.dispose();
    },
  };
}

function prefersStill(): boolean {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches === true;
}
