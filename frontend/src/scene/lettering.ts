/** Puts a text at its place on the canvas: on whole pixels in 2D, and moved with its box. */

import type { Atlas } from "./atlas";
import { type Rect, type Screen, viewOf } from "./camera";
import type { Drawing } from "./drawing";
import type { LabelSet, Look } from "./labels";
import type { Slot } from "./legible";
import type { Camera, Paint } from "./stage";

/** What the labels of a frame depend on. */
export interface Situation {
  readonly drawing: Drawing;
  readonly paint: Paint;
  readonly camera: Camera;
  readonly screen: Screen;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
  /** How far boxes have moved, 0 to 1. */
  readonly moved: number;
  /** True in 2D, where letters are set on whole pixels. */
  readonly snap: boolean;
  /** What can be seen, in picture coordinates. */
  readonly view: Rect;
  /** Height of a box's top, and of what runs in a scope. */
  readonly top: (box: number) => number;
}

/** Where a point of a box is just now, while boxes move. */
export function moved(now: Situation, box: number, x: number, y: number): { x: number; y: number } {
  if (now.moved >= 1 || box < 0) return { x, y };
  const back = 1 - now.moved;
  const { from, to } = now.drawing;
  const b = 4 * box;
  const alongX = to[b + 2] > 0 ? (x - to[b]) / to[b + 2] : 0;
  const alongY = to[b + 3] > 0 ? (y - to[b + 1]) / to[b + 3] : 0;
  return {
    x: x + (from[b] + alongX * from[b + 2] - x) * back,
    y: y + (from[b + 1] + alongY * from[b + 3] - y) * back,
  };
}

/** Puts a text at its place, moved as its box (or scope) is moved just now. */
export function place(
  labels: LabelSet,
  atlas: Atlas,
  now: Situation,
  box: number,
  text: string,
  bold: boolean,
  pixels: number,
  slot: { readonly x: number; readonly y: number; readonly align: Slot["align"] },
  z: number,
  look: Look,
): boolean {
  const glyphs = atlas.find(text, pixels, bold);
  if (glyphs === null) return true;
  const { camera, screen, ratio } = now;
  const fine = camera.zoom * ratio;
  const { x, y } = moved(now, box, slot.x, slot.y);
  const wide = glyphs.width;
  let left = (x - camera.x) * fine;
  if (slot.align === "middle") left -= wide / 2;
  else if (slot.align === "right") left -= wide;
  // The middle of small letters stands a little above the middle of the line's height.
  let top = (y - camera.y) * fine - glyphs.height * 0.5;
  if (now.snap) {
    const middleX = (screen.width * ratio) / 2;
    const middleY = (screen.height * ratio) / 2;
    left = Math.round(left + middleX) - middleX;
    top = Math.round(top + middleY) - middleY;
  }
  return labels.add({
    glyphs,
    x: left / fine,
    y: top / fine,
    scale: 1 / fine,
    z: z + 0.4,
    sign: 0,
    ...look,
  });
}

/** What is in view, also when the picture is tilted: then more of it than the canvas is wide. */
export function seen(camera: Camera, screen: Screen, amount: number): Rect {
  return viewOf(camera, screen, 24 + amount * Math.max(screen.width, screen.height));
}
