/** What stands in for the stage where there is no WebGL: the picture as SVG, in the same place. */

import type { Item } from "../graph/network";
import type { Picture } from "../layout/picture";
import { fitting, type Screen, viewOf } from "./camera";
import { handle } from "./hand";
import { boxUnder, rectAround, rectOn, signUnder } from "./hits";
import type { Scenery } from "./motion";
import { nestOf } from "./nest";
import { pngOf } from "./png";
import type { Camera, Caption, Paint, Stage, StageEvents } from "./stage";
import { toSvg } from "./svg";

/** SVG with more boxes than this in view is too slow to follow the hand. */
const MOST = 3000;

/** Makes a stage that writes SVG; it tells by `onTrouble` why. */
export function createStill(container: HTMLElement, events: StageEvents, why: string): Stage {
  const element = document.createElement("div");
  element.style.cssText = "width:100%;height:100%;overflow:hidden;outline:none";
  container.append(element);
  let shown: {
    scenery: Scenery;
    caption: (item: Item) => Caption;
    wireLabel?: (wire: number) => string;
  } | null = null;
  let paint: Paint | null = null;
  let camera: Camera = { x: 0, y: 0, zoom: 1 };
  let placed = false;
  let frame = 0;
  const counted = { frames: 0, script: 0, calls: 0 };
  const size = (): Screen => ({
    width: Math.max(container.clientWidth, 1),
    height: Math.max(container.clientHeight, 1),
  });
  const sight = () => ({ camera, screen: size(), orbit: { amount: 0, tilt: 0, turn: 0 } });

  const draw = () => {
    frame = 0;
    if (shown === null || paint === null) return;
    const begun = performance.now();
    const { scenery, caption, wireLabel } = shown;
    const part = viewOf(camera, size());
    const few = scenery.picture.boxes.item.length <= MOST;
    const svg = toSvg(scenery.picture, caption, paint, { part, ...(few ? { wireLabel } : {}) });
    // Parsed as a document of its own: nothing in it can run here.
    const { documentElement } = new DOMParser().parseFromString(svg, "image/svg+xml");
    documentElement.setAttribute("width", "100%");
    documentElement.setAttribute("height", "100%");
    element.replaceChildren(document.importNode(documentElement, true));
    counted.frames++;
    counted.script += performance.now() - begun;
  };
  const ask = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const put = (next: Camera) => {
    camera = next;
    placed = true;
    events.onCamera(camera);
    ask();
  };
  const itemAt = (at: { x: number; y: number }): Item | null => {
    if (shown === null) return null;
    const box = boxUnder(shown.scenery, sight(), at, () => 0, 0);
    return box < 0 ? null : shown.scenery.picture.boxes.item[box];
  };
  const stopListening = handle(
    element,
    {
      sight,
      size: () => shown?.scenery.picture ?? { width: 1, height: 1 },
      item: itemAt,
      sign: (at) =>
        shown === null
          ? null
          : signUnder(shown.scenery, sight(), at, (item) => shown?.caption(item).scope === true),
      move: put,
      turn: () => {},
      timed: (handler) => handler(),
    },
    events,
  );
  const observer = new ResizeObserver(ask);
  observer.observe(container);
  events.onTrouble(`${why} The picture is shown without animation and without 3D.`);

  const bring: Stage["fit"] = (items) => {
    const rect = shown === null ? null : rectAround(shown.scenery.picture, items);
    if (rect !== null) put(fitting(rect, size()));
  };

  return {
    element,
    show: (picture: Picture, caption, { wireLabel }) => {
      const curves = { start: NONE, x: NO_NUMBERS, y: NO_NUMBERS };
      shown = { scenery: { picture, nest: nestOf(picture), curves }, caption, wireLabel };
      if (!placed) bring(null, { animate: false });
      ask();
    },
    paint: (next) => {
      paint = next;
      element.style.background = `#${next.colours.ground.toString(16).padStart(6, "0")}`;
      ask();
    },
    setDimension: () => {},
    camera: () => camera,
    setCamera: put,
    fit: bring,
    pick: (clientX, clientY) => {
      const rect = element.getBoundingClientRect();
      return itemAt({ x: clientX - rect.left, y: clientY - rect.top });
    },
    rectOf: (item) => {
      const rect = shown === null ? null : rectOn(shown.scenery.picture, item, sight(), 0);
      const around = element.getBoundingClientRect();
      return rect === null
        ? null
        : new DOMRect(around.left + rect.x, around.top + rect.y, rect.width, rect.height);
    },
    toPng: async ({ whole, scale }) => {
      if (shown === null || paint === null) throw new Error("There is no picture yet.");
      const { picture } = shown.scenery;
      const part = whole ? undefined : viewOf(camera, size());
      const svg = toSvg(picture, shown.caption, paint, part === undefined ? {} : { part });
      return rastered(
        svg,
        part?.width ?? picture.width + 32,
        part?.height ?? picture.height + 32,
        scale,
      );
    },
    statistics: () => ({ ...counted }),
    dispose: () => {
      if (frame !== 0) cancelAnimationFrame(frame);
      stopListening();
      observer.disconnect();
      element.remove();
    },
  };
}

/** Draws SVG text into an image. */
async function rastered(svg: string, width: number, height: number, scale: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const fine = Math.min(scale, 8000 / Math.max(width, height, 1));
  canvas.width = Math.max(1, Math.round(width * fine));
  canvas.height = Math.max(1, Math.round(height * fine));
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pngOf(canvas);
}

const NONE = new Int32Array(1);
const NO_NUMBERS = new Float64Array(0);
