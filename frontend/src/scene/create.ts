/** Makes the stage: canvas, camera, gestures, and the frames that show a picture. */

import { ColorManagement, PerspectiveCamera, Scene, WebGLRenderer } from "three";
import type { Item } from "../graph/network";
import { makeAtlas } from "./atlas";
import { boxMaterials } from "./boxes";
import {
  eased,
  farthest,
  fitting,
  flight,
  kept,
  type Point,
  type Rect,
  type Screen,
  viewOf,
  zoomedAt,
} from "./camera";
import { curvesOf } from "./curve";
import { type Before, type Drawing, type Heights, makeDrawing } from "./drawing";
import { listen } from "./gestures";
import { heightsBetween, heightsOf } from "./heights";
import { makeLabels } from "./labels";
import { SIGNED } from "./legible";
import { boxShowing, motionOf, placesBetween, type Scenery, wireMotion } from "./motion";
import { boxAt, nestOf } from "./nest";
import { FIRST_ORBIT, fittingTilted, type Orbit, project, seenAt, TILTS, under } from "./orbit";
import { pngOf, tiled } from "./png";
import { makeSpace, setColour, setEye } from "./space";
import type { Camera, Dimension, Paint, Stage, StageEvents } from "./stage";
import { wireMaterials } from "./wires";
import { makeTexts, seen, type Texts, write } from "./writing";

/** Duration of a change of picture and of a flight, in milliseconds. */
const GLIDE = 260;
const FLIGHT = 380;
/** Milliseconds a frame may take to draw texts that are new. */
const WRITING = 2.5;

const NONE = new Int32Array(0);
const EMPTY: Scenery = {
  picture: {
    width: 1,
    height: 1,
    boxes: {
      item: NONE,
      x: new Float64Array(0),
      y: new Float64Array(0),
      width: new Float32Array(0),
      height: new Float32Array(0),
      depth: NONE,
      open: new Uint8Array(0),
      repeat: NONE,
    },
    wires: {
      source: NONE,
      target: NONE,
      edge: NONE,
      values: NONE,
      bytes: new Float64Array(0),
      start: new Int32Array(1),
      x: new Float64Array(0),
      y: new Float64Array(0),
    },
    boxOf: NONE,
  },
  nest: { parent: NONE, end: NONE },
  curves: { start: new Int32Array(1), x: new Float64Array(0), y: new Float64Array(0) },
};

interface Motionless {
  readonly begun: number;
  readonly lasts: number;
}

/** A camera on its way. */
interface Flight extends Motionless {
  readonly at: (t: number) => Camera;
}

/** A tilt on its way. */
interface Tilting extends Motionless {
  readonly from: Orbit;
  readonly to: Orbit;
}

/** Height of the highest box. */
function topMost(heights: Heights): number {
  let highest = 0;
  for (const top of heights.top) highest = Math.max(highest, top);
  return highest;
}

/** The part of a view that has something in it; all of the picture if nothing has. */
function within(view: Rect, picture: { readonly width: number; readonly height: number }): Rect {
  const x = Math.max(view.x, 0);
  const y = Math.max(view.y, 0);
  const width = Math.min(view.x + view.width, picture.width) - x;
  const height = Math.min(view.y + view.height, picture.height) - y;
  if (width > 0 && height > 0) return { x, y, width, height };
  return { x: 0, y: 0, width: picture.width, height: picture.height };
}

/** Makes a canvas in a container, which it fills. */
export function createStage(container: HTMLElement, events: StageEvents): Stage {
  ColorManagement.enabled = false;
  const renderer = new WebGLRenderer({
    antialias: false,
    alpha: false,
    stencil: false,
    powerPreference: "high-performance",
  });
  const canvas = renderer.domElement;
  canvas.style.cssText = "display:block;width:100%;height:100%;outline:none";
  container.append(canvas);
  renderer.sortObjects = true;
  const space = makeSpace();
  const boxLooks = [boxMaterials(space), boxMaterials(space)] as const;
  const wireLooks = wireMaterials(space);
  const scene = new Scene();
  scene.matrixAutoUpdate = false;
  const eye = new PerspectiveCamera();
  const atlas = makeAtlas(renderer, Math.min(renderer.capabilities.maxTextureSize, 2048));
  const labels = makeLabels(space, atlas);
  scene.add(labels.mesh);

  // Shaders are compiled beside the page while the network is on its way.
  renderer.debug.checkShaderErrors = false;
  const first = makeDrawing(boxLooks, wireLooks, EMPTY, null);
  first.setSolid(false);
  scene.add(first.group);
  renderer.compile(scene, eye);
  scene.remove(first.group);

  let screen: Screen = { width: 1, height: 1 };
  let ratio = 1;
  let camera: Camera = { x: 0, y: 0, zoom: 1 };
  let placed = false;
  let told: Camera | null = null;
  let drawing: Drawing | null = null;
  let texts: Texts | null = null;
  let paint: Paint | null = null;
  let fresh = true;
  let dimension: Dimension = "2d";
  let volume: (box: number) => number = () => 0;
  let orbit: Orbit = { amount: 0, ...FIRST_ORBIT };
  let lowHeights: Heights | null = null;
  let highHeights: Heights | null = null;
  let gliding: Motionless | null = null;
  let flying: Flight | null = null;
  let tilting: Tilting | null = null;
  let frame = 0;
  let lost = false;
  let solid = false;
  let closer = 1;
  const counted = { frames: 0, script: 0, calls: 0 };

  const still = () => globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches === true;

  const ask = () => {
    if (frame === 0 && !lost) frame = requestAnimationFrame(tick);
  };

  const progress = (motion: Motionless | null, now: number) =>
    motion === null ? 1 : eased((now - motion.begun) / motion.lasts);

  const tick = (time: number) => {
    frame = 0;
    const begun = performance.now();
    if (flying !== null) {
      camera = flying.at(progress(flying, time));
      if (time >= flying.begun + flying.lasts) flying = null;
    }
    if (tilting !== null) {
      const t = progress(tilting, time);
      const { from, to } = tilting;
      orbit = { ...to, amount: from.amount + (to.amount - from.amount) * t };
      space.raised.value = t;
      if (time >= tilting.begun + tilting.lasts) endTilt();
    }
    space.moved.value = progress(gliding, time);
    if (gliding !== null && time >= gliding.begun + gliding.lasts) endGlide();
    draw(true);
    if (told === null || told.x !== camera.x || told.y !== camera.y || told.zoom !== camera.zoom) {
      told = camera;
      events.onCamera(camera);
    }
    if (flying !== null || tilting !== null || gliding !== null || atlas.wanting()) ask();
    counted.frames++;
    counted.script += performance.now() - begun;
  };

  const endGlide = () => {
    gliding = null;
    space.moved.value = 1;
    drawing?.settle();
  };

  const endTilt = () => {
    if (tilting !== null) orbit = tilting.to;
    tilting = null;
    space.raised.value = 1;
    lowHeights = highHeights;
    setSolid();
  };

  const setSolid = () => {
    solid = orbit.amount > 0 || tilting !== null;
    drawing?.setSolid(solid);
    for (const material of [wireLooks.ribbon, wireLooks.head, labels.mesh.material]) {
      material.depthTest = solid;
    }
    resize();
  };

  /** Height of a box's top just now. */
  const topOf = (box: number): number => {
    if (highHeights === null || lowHeights === null) return 0;
    const t = space.raised.value;
    return lowHeights.top[box] + (highHeights.top[box] - lowHeights.top[box]) * t;
  };

  const draw = (hurried: boolean) => {
    if (lost) return;
    if (drawing !== null && paint !== null && texts !== null) {
      setEye(space, camera.x, camera.y);
      space.fine.value = camera.zoom * ratio;
      space.ratio.value = ratio;
      project(space.project.value, camera, screen, orbit);
      atlas.allow(hurried ? WRITING : Number.POSITIVE_INFINITY);
      write(labels, atlas, texts, {
        drawing,
        paint,
        camera,
        screen,
        ratio,
        moved: space.moved.value,
        snap: orbit.amount === 0,
        view: seen(camera, screen, orbit.amount),
        top: topOf,
      });
    }
    renderer.render(scene, eye);
    counted.calls = renderer.info.render.calls;
  };

  const resize = () => {
    const width = Math.max(container.clientWidth, 1);
    const height = Math.max(container.clientHeight, 1);
    const finest = Math.min(globalThis.devicePixelRatio || 1, 3);
    // Bodies have slanted edges, which are smooth when drawn twice as fine as they are shown.
    const fine = solid ? Math.max(finest, 2) : finest;
    if (width === screen.width && height === screen.height && fine === ratio) return;
    screen = { width, height };
    ratio = fine;
    renderer.setPixelRatio(fine);
    renderer.setSize(width, height, false);
    if (drawing !== null && !placed) bring(null, { animate: false });
    // Drawn at once: a canvas that changes its size is empty until then.
    draw(true);
    ask();
  };

  const goTo = (next: Camera, animate: boolean, lasts = FLIGHT) => {
    placed = true;
    if (!animate || still()) {
      flying = null;
      camera = next;
    } else flying = { begun: performance.now(), lasts, at: flight(camera, next, screen) };
    ask();
  };

  const rectOfItems = (items: readonly Item[] | null): Rect | null => {
    if (drawing === null) return null;
    const { picture } = drawing.scenery;
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
  };

  const bring: Stage["fit"] = (items, { animate }) => {
    const rect = rectOfItems(items);
    if (rect !== null) goTo(fitting(rect, screen), animate);
  };

  /** The box under a point of the canvas: in 3D the first body that the line of sight meets. */
  const boxUnder = (at: Point): number => {
    if (drawing === null) return -1;
    const { picture, nest } = drawing.scenery;
    if (orbit.amount === 0 || highHeights === null) {
      const point = under(camera, screen, { ...orbit, amount: 0 }, at, 0);
      return point === null ? -1 : boxAt(picture, nest, point.x, point.y);
    }
    const highest = topMost(highHeights);
    const steps = 160;
    for (let step = 0; step <= steps; step++) {
      const z = highest * (1 - step / steps);
      const point = under(camera, screen, orbit, at, z);
      if (point === null) continue;
      const box = boxAt(picture, nest, point.x, point.y);
      if (box >= 0 && topOf(box) >= z - 1e-3) return box;
    }
    return -1;
  };

  const itemOf = (box: number): Item | null =>
    box < 0 || drawing === null ? null : drawing.scenery.picture.boxes.item[box];

  /** The scope whose sign is at a point; signs reach over the border of their box. */
  const signAt = (at: Point): Item | null => {
    if (drawing === null || texts === null || orbit.amount > 0) return null;
    const { picture, nest } = drawing.scenery;
    const { boxes } = picture;
    const point = under(camera, screen, { ...orbit, amount: 0 }, at, 0);
    if (point === null || camera.zoom < SIGNED) return null;
    for (const shift of [0, -8]) {
      const box = boxAt(picture, nest, point.x + shift, point.y);
      if (box < 0) continue;
      const open = boxes.open[box] === 1;
      const x = open ? boxes.x[box] + 15 : boxes.x[box] + boxes.width[box];
      const y = open ? boxes.y[box] + 13 : boxes.y[box] + boxes.height[box] / 2;
      if (Math.abs(point.x - x) > 10 || Math.abs(point.y - y) > 11) continue;
      if (open || texts.caption(boxes.item[box]).scope === true) return boxes.item[box];
    }
    return null;
  };

  let hovered: Item | null = null;
  const least = () =>
    drawing === null
      ? 0.01
      : farthest(drawing.scenery.picture.width, drawing.scenery.picture.height, screen);
  const timed = <T extends unknown[]>(handler: (...args: T) => void) => {
    return (...args: T) => {
      const begun = performance.now();
      handler(...args);
      counted.script += performance.now() - begun;
    };
  };
  const move = (next: Camera) => {
    flying = null;
    const { width, height } = drawing?.scenery.picture ?? { width: 1, height: 1 };
    camera = kept(next, screen, width, height);
    ask();
  };
  const stopListening = listen(canvas, {
    drag: timed((from, to) => {
      const a = under(camera, screen, orbit, from, 0);
      const b = under(camera, screen, orbit, to, 0);
      if (a === null || b === null) return;
      move({ x: camera.x + a.x - b.x, y: camera.y + a.y - b.y, zoom: camera.zoom });
    }),
    turn: timed((dx, dy) => {
      if (orbit.amount === 0) {
        move({ ...camera, x: camera.x - dx / camera.zoom, y: camera.y - dy / camera.zoom });
        return;
      }
      const tilt = Math.min(Math.max(orbit.tilt - dy * 0.006, TILTS[0]), TILTS[1]);
      orbit = { ...orbit, tilt, turn: orbit.turn - dx * 0.006 };
      ask();
    }),
    zoom: timed((at, factor) => {
      if (orbit.amount === 0) {
        move(zoomedAt(camera, screen, at, factor, least()));
        return;
      }
      const before = under(camera, screen, orbit, at, 0);
      const zoom = zoomedAt(camera, screen, at, factor, least()).zoom;
      const after = under({ ...camera, zoom }, screen, orbit, at, 0);
      if (before === null || after === null) move({ ...camera, zoom });
      else move({ x: camera.x + before.x - after.x, y: camera.y + before.y - after.y, zoom });
    }),
    hover: timed((at, event) => {
      const sign = at === null ? null : signAt(at);
      const item = at === null ? null : (sign ?? itemOf(boxUnder(at)));
      canvas.style.cursor = sign !== null ? "pointer" : item !== null ? "pointer" : "";
      if (item === hovered) return;
      hovered = item;
      events.onHover(item, event.clientX, event.clientY);
    }),
    click: (at, event) => {
      const sign = signAt(at);
      if (sign !== null) events.onToggle(sign);
      else events.onPick(itemOf(boxUnder(at)), event);
    },
    doubleClick: (at) => {
      const item = itemOf(boxUnder(at));
      if (item !== null && signAt(at) === null) events.onToggle(item);
    },
  });

  const onLost = (event: Event) => {
    event.preventDefault();
    lost = true;
    if (frame !== 0) cancelAnimationFrame(frame);
    frame = 0;
    events.onTrouble("The graphics card was taken away from this page; waiting for it to return.");
  };
  const onRestored = () => {
    lost = false;
    atlas.reset();
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
    show: (picture, caption, options) => {
      const scenery: Scenery = {
        picture,
        nest: nestOf(picture),
        curves: curvesOf(picture.wires),
      };
      const old = drawing;
      const now = performance.now();
      const places = old === null ? null : placesBetween(old.from, old.to, progress(gliding, now));
      let before: Before | null = null;
      const animate = options.animate && !still() && old !== null && dimension === "2d";
      if (animate && old !== null && places !== null) {
        const motion = motionOf(old.scenery, places, scenery);
        const wires = wireMotion(old.scenery, scenery, motion);
        before = { drawing: old, places, motion, wires };
      }
      drawing = makeDrawing(boxLooks, wireLooks, scenery, before);
      if (old !== null) {
        scene.remove(old.group);
        old.dispose();
      }
      scene.add(drawing.group);
      texts = makeTexts(atlas, caption, options.wireLabel);
      fresh = true;
      gliding = before === null ? null : { begun: now, lasts: GLIDE };
      if (gliding === null) drawing.settle();
      highHeights = heightsOf(scenery, dimension, volume);
      lowHeights = highHeights;
      if (dimension !== "2d") drawing.raise(lowHeights, highHeights);
      setSolid();
      if (options.anchor !== null && old !== null && places !== null) {
        const was = boxShowing(old.scenery.picture, options.anchor);
        const is = boxShowing(picture, options.anchor);
        if (was >= 0 && is >= 0) {
          // The middle of its upper edge stays: what opens grows down and to both sides.
          const { x, y, width } = picture.boxes;
          const dx = x[is] + width[is] / 2 - (places[4 * was] + places[4 * was + 2] / 2);
          const dy = y[is] - places[4 * was + 1];
          const from = flying === null ? camera : flying.at(1);
          const to = { x: from.x + dx, y: from.y + dy, zoom: from.zoom };
          if (gliding === null) {
            flying = null;
            camera = to;
          } else {
            const start = camera;
            flying = {
              begun: now,
              lasts: GLIDE,
              at: (t) => ({
                x: start.x + (to.x - start.x) * t,
                y: start.y + (to.y - start.y) * t,
                zoom: start.zoom + (to.zoom - start.zoom) * t,
              }),
            };
          }
        }
      }
      if (!placed && screen.width > 1) bring(null, { animate: false });
      ask();
    },
    paint: (next) => {
      if (drawing === null) return;
      const { colours } = next;
      if (fresh || paint === null || paint.colours !== colours) {
        setColour(space.ground.value, colours.ground);
        setColour(space.accent.value, colours.accent);
        setColour(space.wire.value, colours.wire);
        renderer.setClearColor(colours.ground, 1);
      }
      drawing.paint(next, fresh ? null : paint);
      fresh = false;
      paint = next;
      ask();
    },
    setDimension: (next, height) => {
      const changed = next !== dimension;
      dimension = next;
      volume = height;
      if (drawing === null) {
        orbit = { ...orbit, amount: next === "2d" ? 0 : 1 };
        return;
      }
      const to = heightsOf(drawing.scenery, next, height);
      const from = lowHeights ?? to;
      lowHeights =
        highHeights === null ? from : heightsBetween(from, highHeights, space.raised.value);
      highHeights = to;
      drawing.raise(lowHeights, highHeights);
      const target: Orbit = { ...orbit, amount: next === "2d" ? 0 : 1 };
      if (next !== "2d" && orbit.amount === 0) Object.assign(target, FIRST_ORBIT);
      space.raised.value = 0;
      const lasts = changed && !still() ? 600 : 1;
      const begun = performance.now();
      tilting = { begun, lasts, from: orbit, to: target };
      setSolid();
      if (orbit.amount !== target.amount) {
        const start = camera;
        let end = { ...camera, zoom: camera.zoom / closer };
        if (target.amount === 1) {
          const rect = within(viewOf(camera, screen), drawing.scenery.picture);
          end = fittingTilted(rect, screen, target, topMost(to));
          closer = end.zoom / camera.zoom;
        } else closer = 1;
        flying = {
          begun,
          lasts,
          at: (t) => ({
            x: start.x + (end.x - start.x) * t,
            y: start.y + (end.y - start.y) * t,
            zoom: start.zoom * (end.zoom / start.zoom) ** t,
          }),
        };
      }
      ask();
    },
    camera: () => (flying === null ? camera : flying.at(1)),
    setCamera: (next, { animate }) => goTo(next, animate),
    fit: bring,
    pick: (clientX, clientY) => {
      const rect = canvas.getBoundingClientRect();
      return itemOf(boxUnder({ x: clientX - rect.left, y: clientY - rect.top }));
    },
    rectOf: (item) => {
      if (drawing === null) return null;
      const { picture } = drawing.scenery;
      const box = boxShowing(picture, item);
      if (box < 0) return null;
      const { x, y, width, height } = picture.boxes;
      const rect = canvas.getBoundingClientRect();
      const corners = [
        [x[box], y[box]],
        [x[box] + width[box], y[box]],
        [x[box], y[box] + height[box]],
        [x[box] + width[box], y[box] + height[box]],
      ].map(([cx, cy]) => seenAt(camera, screen, orbit, cx, cy, topOf(box)));
      const xs = corners.map((corner) => corner.x);
      const ys = corners.map((corner) => corner.y);
      const left = Math.min(...xs);
      const top = Math.min(...ys);
      return new DOMRect(
        rect.left + left,
        rect.top + top,
        Math.max(...xs) - left,
        Math.max(...ys) - top,
      );
    },
    toPng: async ({ whole, scale }) => {
      if (drawing === null) return pngOf(canvas);
      const kept = { camera, screen, ratio };
      const { width, height } = drawing.scenery.picture;
      const flat = orbit.amount === 0;
      const part =
        whole && flat
          ? { x: -24, y: -24, width: width + 48, height: height + 48 }
          : viewOf(camera, screen);
      const zoom = whole && flat ? 1 : camera.zoom;
      const most = Math.min(renderer.capabilities.maxTextureSize, 4096);
      // A tilted picture cannot be cut into tiles: it is drawn as fine as it can be at once.
      const fine = ratio * scale;
      const finest = flat ? fine : Math.min(fine, most / Math.max(screen.width, screen.height));
      let image: HTMLCanvasElement;
      try {
        image = tiled(part, zoom, finest, most, (at, size, pixels) => {
          camera = at;
          screen = size;
          ratio = pixels;
          renderer.setPixelRatio(1);
          renderer.setSize(
            Math.round(size.width * pixels),
            Math.round(size.height * pixels),
            false,
          );
          draw(false);
          return canvas;
        });
      } finally {
        ({ camera, screen, ratio } = kept);
        renderer.setPixelRatio(ratio);
        renderer.setSize(screen.width, screen.height, false);
        draw(true);
        ask();
      }
      return pngOf(image);
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
      labels.dispose();
      atlas.dispose();
      for (const material of [...boxLooks, wireLooks].flatMap((made) => Object.values(made))) {
        material.dispose();
      }
      renderer.dispose();
      renderer.forceContextLoss();
      canvas.remove();
    },
  };
}
