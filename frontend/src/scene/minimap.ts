/** The whole picture small, and which part of it is in view. */

import type { Picture } from "../layout/picture";
import { type Rect, type Screen, viewOf } from "./camera";
import { hex } from "./colour";
import type { Camera, Paint } from "./stage";

/** A small canvas beside the large one. */
export interface Minimap {
  readonly element: HTMLCanvasElement;
  /** Draws a picture anew: call it when the picture or its colours change. */
  readonly show: (picture: Picture, paint: Paint) => void;
  /** Moves the frame around what is in view; `screen` is the size of the large canvas. */
  readonly look: (camera: Camera, screen: Screen) => void;
  readonly dispose: () => void;
}

/** Levels of boxes that are drawn, and boxes at most. */
const LEVELS = 2;
const MOST = 6000;
const MARGIN = 6;

/** Makes a minimap that fills a container; `onMove` is told where the user wants to look. */
export function createMinimap(
  container: HTMLElement,
  onMove: (x: number, y: number) => void,
): Minimap {
  const canvas = document.createElement("canvas");
  canvas.style.cssText = "display:block;width:100%;height:100%;touch-action:none;cursor:crosshair";
  canvas.setAttribute("aria-hidden", "true");
  container.append(canvas);
  const pen = canvas.getContext("2d");
  // What does not change while one pans is drawn once, and copied under the frame.
  const still = document.createElement("canvas");
  let shown: { picture: Picture; paint: Paint } | null = null;
  let view: Rect | null = null;
  let dragging = false;

  const size = (): Screen => ({
    width: Math.max(container.clientWidth, 1),
    height: Math.max(container.clientHeight, 1),
  });

  /** Scale and offset that bring the whole picture into the canvas. */
  const fitted = (picture: Picture) => {
    const { width, height } = size();
    const scale = Math.min(
      (width - 2 * MARGIN) / Math.max(picture.width, 1),
      (height - 2 * MARGIN) / Math.max(picture.height, 1),
    );
    return {
      scale,
      left: (width - picture.width * scale) / 2,
      top: (height - picture.height * scale) / 2,
    };
  };

  const drawStill = () => {
    if (shown === null) return;
    const { width, height } = size();
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    for (const one of [canvas, still]) {
      one.width = Math.round(width * ratio);
      one.height = Math.round(height * ratio);
    }
    const brush = still.getContext("2d");
    if (brush === null) return;
    const { picture, paint } = shown;
    const { boxes } = picture;
    const { scale, left, top } = fitted(picture);
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.clearRect(0, 0, width, height);
    let wanted = 0;
    for (let box = 0; box < boxes.item.length; box++) {
      if (boxes.depth[box] <= LEVELS) wanted++;
    }
    const step = Math.max(1, Math.ceil(wanted / MOST));
    let seen = 0;
    const { scopes } = paint.colours;
    for (let box = 0; box < boxes.item.length; box++) {
      if (boxes.depth[box] > LEVELS || seen++ % step !== 0) continue;
      const open = boxes.open[box] === 1;
      const dim = paint.lit !== null && !paint.lit.has(boxes.item[box]);
      brush.globalAlpha = dim ? 0.25 : 1;
      brush.fillStyle = hex(
        open && scopes.length > 0
          ? scopes[(Math.max(boxes.depth[box], 1) - 1) % scopes.length]
          : paint.fill(box),
      );
      brush.strokeStyle = hex(open ? paint.colours.scopeLine : paint.line(box));
      brush.lineWidth = 0.5;
      const x = left + boxes.x[box] * scale;
      const y = top + boxes.y[box] * scale;
      const wide = Math.max(boxes.width[box] * scale, 1);
      const high = Math.max(boxes.height[box] * scale, 1);
      brush.fillRect(x, y, wide, high);
      if (wide > 3 && high > 3) brush.strokeRect(x, y, wide, high);
    }
    brush.globalAlpha = 1;
  };

  const draw = () => {
    if (pen === null || shown === null) return;
    const { picture, paint } = shown;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(still, 0, 0);
    if (view === null) return;
    const ratio = canvas.width / size().width;
    const { scale, left, top } = fitted(picture);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const x = Math.max(left + view.x * scale, 1);
    const y = Math.max(top + view.y * scale, 1);
    const right = Math.min(left + (view.x + view.width) * scale, size().width - 1);
    const bottom = Math.min(top + (view.y + view.height) * scale, size().height - 1);
    pen.strokeStyle = hex(paint.colours.accent);
    pen.fillStyle = `${hex(paint.colours.accent)}1a`;
    pen.lineWidth = 1.5;
    pen.fillRect(x, y, Math.max(right - x, 3), Math.max(bottom - y, 3));
    pen.strokeRect(x, y, Math.max(right - x, 3), Math.max(bottom - y, 3));
  };

  const move = (event: PointerEvent) => {
    if (shown === null) return;
    const rect = canvas.getBoundingClientRect();
    const { scale, left, top } = fitted(shown.picture);
    onMove((event.clientX - rect.left - left) / scale, (event.clientY - rect.top - top) / scale);
  };
  const onDown = (event: PointerEvent) => {
    dragging = true;
    canvas.setPointerCapture(event.pointerId);
    move(event);
  };
  const onDrag = (event: PointerEvent) => {
    if (dragging) move(event);
  };
  const onUp = () => {
    dragging = false;
  };
  canvas.addEventListener("pointerdown", onDown);
  canvas.addEventListener("pointermove", onDrag);
  canvas.addEventListener("pointerup", onUp);
  canvas.addEventListener("pointercancel", onUp);
  const observer = new ResizeObserver(() => {
    drawStill();
    draw();
  });
  observer.observe(container);

  return {
    element: canvas,
    show: (picture, paint) => {
      shown = { picture, paint };
      drawStill();
      draw();
    },
    look: (camera, screen) => {
      view = viewOf(camera, screen);
      draw();
    },
    dispose: () => {
      observer.disconnect();
      canvas.remove();
    },
  };
}
