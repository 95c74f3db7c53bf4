/** Which texts are shown, and where: those that can be read at this zoom and are in view. */

import {
  BADGE_WIDTH,
  DETAIL_SIZE as DETAIL,
  SMALL_SIZE as SMALL,
  TITLE_SIZE as TITLE,
} from "../graph/caption";
import { HEADER, type Picture } from "../layout/picture";
import type { Rect, Screen } from "./camera";
import { overlaps, viewOf } from "./camera";
import { eachIn, type Nest } from "./nest";
import type { Camera } from "./stage";

/** What a text is to its box. */
export type Part = "title" | "detail" | "header" | "name" | "repeat" | "sign" | "wire";

/** A text to be written. */
export interface Slot {
  readonly part: Part;
  /** Box, or wire for texts on wires. */
  readonly index: number;
  /** Where it stands in picture coordinates: left, middle or right of its line. */
  readonly x: number;
  /** Middle of the line. */
  readonly y: number;
  readonly align: "left" | "middle" | "right";
  /** Height of letters in CSS pixels. */
  readonly size: number;
  /** Room for it in CSS pixels; longer texts are cut. */
  readonly room: number;
}

/** Letters smaller than this cannot be read, larger than this help no one. */
const LEAST = 8;
const LARGEST = 64;
/** Smallest zoom at which there are signs that open and close. */
export const SIGNED = 0.5;

/** Lines of the box: two are shown in tall ones. */
function lines(height: number): { size: number; two: boolean } {
  return { size: height < 27 ? SMALL : TITLE, two: height >= 38 };
}

/**
 * Lists the texts to show, outer scopes first, `most` at most.
 *
 * The letters grow and shrink with the box down to the smallest legible size; then they keep
 * that size as long as they have room, and go. The name of an open scope that is too small for
 * its header stands over it in a legible size ("name") unless another name is there.
 */
export function legible(
  picture: Picture,
  nest: Nest,
  camera: Camera,
  screen: Screen,
  view: Rect = viewOf(camera, screen, 24),
  most = 900,
): Slot[] {
  const { x, y, width, height, open, repeat } = picture.boxes;
  const { zoom } = camera;
  const slots: Slot[] = [];
  const names: Slot[] = [];
  const taken: Rect[] = [];
  const least = Math.max(18 / zoom, 0);
  eachIn(picture, nest, view, least, (box) => {
    if (slots.length >= most) return;
    const wide = width[box] * zoom;
    const high = height[box] * zoom;
    if (open[box] === 1) {
      const size = Math.max(TITLE * zoom, LEAST + 0.5);
      if (HEADER * zoom >= size * 1.2) {
        // The name stays in view while its scope is.
        const left = Math.max(x[box] + 28, Math.min(view.x + 36 / zoom, x[box] + width[box] / 2));
        const room = (x[box] + width[box] - left) * zoom - (repeat[box] > 1 ? 46 : 10) * zoom;
        const line = { index: box, y: y[box] + HEADER / 2, size: Math.min(size, LARGEST) };
        slots.push({ ...line, part: "header", x: left, align: "left", room });
        if (zoom >= SIGNED) {
          slots.push({ ...line, part: "sign", x: x[box] + 15, align: "middle", room: 99 });
        }
        if (repeat[box] > 1) {
          slots.push({
            ...line,
            part: "repeat",
            x: x[box] + width[box] - 10,
            align: "right",
            room: 99,
          });
        }
      } else if (wide >= 54 && high >= 30 && names.length < 120) {
        const slot: Slot = {
          part: "name",
          index: box,
          x: x[box] + 6 / zoom,
          y: y[box] + Math.max((HEADER / 2) * zoom, 9) / zoom,
          align: "left",
          size: 11,
          room: Math.min(wide - 12, 220),
        };
        const spot = { x: slot.x * zoom, y: slot.y * zoom - 9, width: slot.room, height: 18 };
        if (!taken.some((other) => overlaps(other, spot))) {
          taken.push(spot);
          names.push(slot);
        }
      }
      return;
    }
    const { size: full, two } = lines(height[box]);
    const size = Math.min(Math.max(full * zoom, LEAST), LARGEST);
    if (high < size * 1.12 || wide < 18) return;
    const badge = repeat[box] > 1;
    const middle = x[box] + width[box] / 2;
    const detail = DETAIL * zoom;
    const both = two && detail >= LEAST;
    const line = both ? 15.5 : height[box] / 2;
    const room = wide - 5 - (badge ? BADGE_WIDTH * zoom : 0);
    slots.push({
      part: "title",
      index: box,
      x: badge ? middle - 15 : middle,
      y: y[box] + line,
      align: "middle",
      size,
      room,
    });
    if (both) {
      slots.push({
        part: "detail",
        index: box,
        x: middle,
        y: y[box] + 31.5,
        align: "middle",
        size: Math.min(detail, LARGEST),
        room: wide - 5,
      });
    }
    if (badge && wide > 50) {
      slots.push({
        part: "repeat",
        index: box,
        x: x[box] + width[box] - 7,
        y: y[box] + line,
        align: "right",
        size: size * 0.88,
        room: 99,
      });
    }
    if (zoom >= SIGNED && height[box] > 27) {
      slots.push({
        part: "sign",
        index: box,
        x: x[box] + width[box],
        y: y[box] + height[box] / 2,
        align: "middle",
        size: size * 0.92,
        room: 99,
      });
    }
  });
  return slots.concat(names);
}
