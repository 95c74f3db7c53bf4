/** Writes the labels of a frame: what is legible goes through the atlas onto the boxes. */

import type { Item } from "../graph/network";
import { HEADER } from "../layout/picture";
import type { Atlas } from "./atlas";
import type { Rect, Screen } from "./camera";
import { overlaps, viewOf } from "./camera";
import { inkOn, mixed } from "./colour";
import { spotOf } from "./curve";
import type { Drawing } from "./drawing";
import type { LabelSet } from "./labels";
import { legible, type Slot } from "./legible";
import { boxShowing, scopeOfWire } from "./motion";
import { eachIn } from "./nest";
import type { Camera, Caption, Paint } from "./stage";

/** Longest text that is looked at: names can be anything. */
const LONGEST = 120;

/** Space between a wire and what is written at it, in CSS pixels. */
const BESIDE = 6;

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

/** Texts of one picture, and how they are cut to their room. */
export interface Texts {
  readonly caption: (item: Item) => Caption;
  readonly wireLabel: (wire: number) => string;
  /** The longest beginning of a text that has room. */
  readonly cut: (text: string, size: number, bold: boolean, room: number) => string;
}

/** Makes the texts of a picture; captions are asked for once, when first seen. */
export function makeTexts(
  atlas: Atlas,
  caption: (item: Item) => Caption,
  wireLabel: ((wire: number) => string) | undefined,
): Texts {
  const captions = new Map<Item, Caption>();
  const wires = new Map<number, string>();
  const cuts = new Map<string, string>();
  return {
    caption: (item) => {
      let known = captions.get(item);
      if (known === undefined) {
        const { title, detail, scope } = caption(item);
        known = { title: tidy(title), detail: tidy(detail), scope };
        captions.set(item, known);
      }
      return known;
    },
    wireLabel: (wire) => {
      let known = wires.get(wire);
      if (known === undefined) {
        known = tidy(wireLabel?.(wire) ?? "");
        wires.set(wire, known);
      }
      return known;
    },
    cut: (text, size, bold, room) => {
      if (atlas.measure(text, size, bold) <= room) return text;
      // Rooms are rounded, so that zooming does not measure a text over and over.
      const key = `${Math.floor((room / size) * 4)} ${text}`;
      let known = cuts.get(key);
      if (known === undefined) {
        const letters = [...text];
        let low = 0;
        let high = letters.length;
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          const shorter = `${letters.slice(0, middle).join("").trimEnd()}…`;
          if (atlas.measure(shorter, size, bold) <= room) low = middle;
          else high = middle - 1;
        }
        known = low < 2 ? "" : `${letters.slice(0, low).join("").trimEnd()}…`;
        if (cuts.size > 20_000) cuts.clear();
        cuts.set(key, known);
      }
      return known;
    },
  };
}

/** One line without control characters, and not endless. */
function tidy(text: string): string {
  const short = text.length > LONGEST ? `${[...text.slice(0, LONGEST)].join("")}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  return short.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, " ");
}

/** Sets the labels of a frame. */
export function write(labels: LabelSet, atlas: Atlas, texts: Texts, now: Situation): void {
  labels.clear();
  const { drawing, camera, screen, view } = now;
  const { picture, nest } = drawing.scenery;
  const slots = legible(picture, nest, camera, screen, view);
  for (const slot of slots) {
    if (slot.part === "sign") writeSign(labels, texts, now, slot);
    else writeSlot(labels, atlas, texts, now, slot);
  }
  if (camera.zoom >= 0.72) writeWires(labels, atlas, texts, now);
  labels.send();
}

function writeSlot(labels: LabelSet, atlas: Atlas, texts: Texts, now: Situation, slot: Slot): void {
  const { drawing, paint, ratio } = now;
  const { boxes } = drawing.scenery.picture;
  const box = slot.index;
  const item = boxes.item[box];
  const caption = texts.caption(item);
  const { colours } = paint;
  let text = "";
  let bold = false;
  if (slot.part === "title" || slot.part === "header" || slot.part === "name") {
    text = caption.title;
    bold = boxes.height[box] > 27;
    // What is called alike is told apart by the first thing that the second line says.
    if (slot.part === "name") text = `${text}  ${caption.detail.split(" · ", 1)[0]}`.trimEnd();
  } else if (slot.part === "detail") text = caption.detail;
  else if (slot.part === "repeat") text = `×${boxes.repeat[box]}`;
  if (text === "") return;
  const pixels = Math.min(Math.max(Math.round(slot.size * ratio), 6), 72);
  const shown = texts.cut(text, pixels, bold, slot.room * ratio);
  if (shown === "") return;
  const fill = drawing.fillOf(box);
  let ink = inkOn(fill, colours.text);
  if (slot.part === "detail") ink = mixed(ink, fill, 0.28);
  if (slot.part === "repeat") ink = mixed(ink, fill, 0.1);
  let plate = 0;
  let plateAlpha = 0;
  let room = 0;
  if (slot.part === "name") {
    plate = mixed(fill, colours.ground, 0.3);
    plateAlpha = 0.88;
    room = 2 * ratio;
  }
  if (slot.part === "header" && HEADER * now.camera.zoom * ratio > pixels * 1.6) {
    // Wires that enter from above run behind the name.
    plate = fill;
    plateAlpha = 0.94;
    room = 2 * ratio;
  }
  if (drawing.isDimmed(box)) {
    ink = mixed(ink, colours.ground, 0.62);
    plate = mixed(plate, colours.ground, 0.6);
  }
  const presence = drawing.presence?.[box] === 1 ? now.moved * now.moved : 1;
  const look = { ink, plate, plateAlpha: plateAlpha * presence, inkAlpha: presence, room };
  place(labels, atlas, now, box, shown, bold, pixels, slot, now.top(box), look);
  if (slot.part !== "header" || caption.detail === "" || shown !== text) return;
  const used = atlas.measure(text, pixels, bold) / ratio + 10;
  const smaller = Math.max(Math.round(pixels * 0.82), 6);
  const rest = texts.cut(caption.detail, smaller, false, (slot.room - used) * ratio);
  if (rest.length < Math.min(caption.detail.length, 5)) return;
  const beside = { ...slot, x: slot.x + used / now.camera.zoom };
  const faint = { ...look, ink: mixed(ink, fill, 0.35) };
  place(labels, atlas, now, box, rest, false, smaller, beside, now.top(box), faint);
}

/** The sign that opens or closes a scope. */
function writeSign(labels: LabelSet, texts: Texts, now: Situation, slot: Slot): void {
  const { drawing, paint, camera, ratio } = now;
  const { boxes } = drawing.scenery.picture;
  const box = slot.index;
  const open = boxes.open[box] === 1;
  if (!open && texts.caption(boxes.item[box]).scope !== true) return;
  const { colours } = paint;
  const fine = camera.zoom * ratio;
  const at = moved(now, box, slot.x, slot.y);
  const dim = drawing.isDimmed(box) ? 0.62 : 0;
  const fill = drawing.fillOf(box);
  labels.add({
    glyphs: NO_GLYPHS,
    x: at.x - camera.x,
    y: at.y - camera.y,
    scale: 1 / fine,
    z: now.top(box) + 0.4,
    ink: mixed(mixed(colours.text, fill, 0.25), colours.ground, dim),
    inkAlpha: 1,
    plate: open ? fill : mixed(fill, colours.ground, dim),
    plateAlpha: drawing.presence?.[box] === 1 ? now.moved : 1,
    room: Math.max(slot.size * 0.6, 4.5) * ratio,
    sign: open ? 2 : 1,
  });
}

const NO_GLYPHS = { x: 0, y: 0, width: 0, height: 0 };

/** Where a point of a box is just now, while boxes move. */
function moved(now: Situation, box: number, x: number, y: number): { x: number; y: number } {
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

interface Look {
  readonly ink: number;
  readonly inkAlpha: number;
  readonly plate: number;
  readonly plateAlpha: number;
  readonly room: number;
}

/** Puts a text at its place, moved as its box (or scope) is moved just now. */
function place(
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

/** Shapes and dtypes on wires, where nothing is written yet. */
function writeWires(labels: LabelSet, atlas: Atlas, texts: Texts, now: Situation): void {
  const { drawing, camera, ratio, paint, view } = now;
  const { picture, nest, curves } = drawing.scenery;
  const { colours } = paint;
  const size = Math.min(Math.max(9.5 * camera.zoom, 8.5), 26);
  const pixels = Math.round(size * ratio);
  const taken: Rect[] = [];
  let left = 260;
  const ink = mixed(colours.faint, colours.text, 0.15);
  const seen = new Set<number>();
  eachIn(picture, nest, view, 18 / camera.zoom, (box) => {
    const { start, values } = drawing.wiresAt;
    for (let i = start[box]; i < start[box + 1] && left > 0; i++) {
      const wire = values[i];
      if (seen.has(wire)) continue;
      seen.add(wire);
      const source = boxShowing(picture, picture.wires.source[wire]);
      const target = boxShowing(picture, picture.wires.target[wire]);
      const scope = scopeOfWire(nest, source, target);
      // Within a scope, what enters and leaves it is not written again.
      if (scope === source || scope === target) continue;
      const [x, y] = spotOf(curves, wire);
      if (x < view.x || y < view.y || x > view.x + view.width || y > view.y + view.height) continue;
      const first = curves.start[wire];
      const last = curves.start[wire + 1] - 1;
      if (Math.abs(curves.y[last] - curves.y[first]) * camera.zoom < size * 1.9) continue;
      const label = texts.wireLabel(wire);
      if (label === "") continue;
      const { boxes } = picture;
      const room =
        scope < 0 ? 400 : (boxes.x[scope] + boxes.width[scope] - x) * camera.zoom - BESIDE - 4;
      const text = texts.cut(label, size, false, room);
      if (text.length < Math.min(label.length, 5)) continue;
      const wide = atlas.measure(text, size, false) + 6;
      const spot = {
        x: x * camera.zoom + BESIDE,
        y: y * camera.zoom - size * 0.7,
        width: wide,
        height: size * 1.4,
      };
      if (taken.some((other) => overlaps(other, spot))) continue;
      taken.push(spot);
      left--;
      const sheets = colours.scopes;
      const ground =
        scope >= 0 && sheets.length > 0
          ? sheets[(Math.max(picture.boxes.depth[scope], 1) - 1) % sheets.length]
          : colours.ground;
      const { lit } = paint;
      const dim =
        lit !== null &&
        !(lit.has(picture.wires.source[wire]) && lit.has(picture.wires.target[wire]));
      const z = scope >= 0 ? now.top(scope) : 0;
      const alpha = now.moved < 1 ? 0 : 1;
      place(
        labels,
        atlas,
        now,
        -1,
        text,
        false,
        pixels,
        { x: x + BESIDE / camera.zoom, y, align: "left" },
        z,
        {
          ink: dim ? mixed(ink, ground, 0.7) : ink,
          inkAlpha: alpha,
          plate: ground,
          plateAlpha: 0.8 * alpha,
          room: Math.round(2 * ratio),
        },
      );
    }
  });
}

/** What is in view, also when the picture is tilted: then more of it than the canvas is wide. */
export function seen(camera: Camera, screen: Screen, amount: number): Rect {
  return viewOf(camera, screen, 24 + amount * Math.max(screen.width, screen.height));
}
