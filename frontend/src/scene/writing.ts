/** Writes the labels of a frame: what is legible goes through the atlas onto the boxes. */

import { HEADER } from "../layout/picture";
import type { Atlas } from "./atlas";
import { inkOn, mixed } from "./colour";
import type { LabelSet } from "./labels";
import { legible, type Slot } from "./legible";
import { moved, place, type Situation } from "./lettering";
import type { Notes } from "./notes";
import type { Texts } from "./texts";

/** Letters are made smaller, down to this height in CSS pixels, before a text is cut. */
const SMALLEST = 6.7;

/** Smallest zoom at which wires are written on. */
const WRITTEN = 0.6;

/** Sets the labels of a frame. */
export function write(
  labels: LabelSet,
  atlas: Atlas,
  texts: Texts,
  notes: Notes,
  now: Situation,
): void {
  labels.clear();
  const { drawing, camera, screen, view } = now;
  const { picture, nest } = drawing.scenery;
  const slots = legible(picture, nest, camera, screen, view);
  for (const slot of slots) {
    if (slot.part === "sign") writeSign(labels, texts, now, slot);
    else writeSlot(labels, atlas, texts, now, slot);
  }
  // In 3D bodies stand before them.
  if (now.snap && camera.zoom >= WRITTEN) notes.write(labels, now);
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
  } else if (slot.part === "detail") text = caption.detail;
  else if (slot.part === "repeat") text = `×${boxes.repeat[box]}`;
  if (text === "") return;
  const room = slot.room * ratio;
  const pixels = texts.fit(text, Math.round(slot.size * ratio), bold, room, SMALLEST * ratio);
  const shown = texts.cut(nameIn(text, texts, pixels, bold, room), pixels, bold, room);
  if (shown === "") return;
  const fill = drawing.fillOf(box);
  let ink = inkOn(fill, colours.text);
  if (slot.part === "detail") ink = mixed(ink, fill, 0.28);
  if (slot.part === "repeat") ink = mixed(ink, fill, 0.1);
  let plate = 0;
  let plateAlpha = 0;
  let around = 0;
  let half = 0;
  if (slot.part === "name") {
    plate = mixed(fill, colours.ground, 0.3);
    plateAlpha = 0.88;
    around = 2 * ratio;
  }
  if (slot.part === "header") {
    // Wires that enter from above run behind the name, but the lines around it stay.
    plate = fill;
    plateAlpha = 1;
    half = (HEADER / 2) * now.camera.zoom * ratio - 1.2 * ratio;
  }
  if (drawing.isDimmed(box)) {
    ink = mixed(ink, colours.ground, 0.62);
    plate = mixed(plate, colours.ground, 0.6);
  }
  const presence = drawing.presence?.[box] === 1 ? now.moved * now.moved : 1;
  const alphas = { plateAlpha: plateAlpha * presence, inkAlpha: presence };
  const look = { ink, plate, ...alphas, room: around, half };
  place(labels, atlas, now, box, shown, bold, pixels, slot, now.top(box), look);
  if (slot.part !== "header" || caption.detail === "" || shown !== text) return;
  const used = atlas.measure(text, pixels, bold) / ratio + 10;
  const smaller = Math.max(Math.round(pixels * 0.82), 6);
  const rest = texts.whole(caption.detail, smaller, (slot.room - used) * ratio);
  if (rest === "") return;
  const beside = { ...slot, x: slot.x + used / now.camera.zoom };
  const faint = { ...look, ink: mixed(ink, fill, 0.35) };
  place(labels, atlas, now, box, rest, false, smaller, beside, now.top(box), faint);
}

/** Where name and class have no room together, the name, unless that is a mere number. */
function nameIn(text: string, texts: Texts, pixels: number, bold: boolean, room: number): string {
  const name = text.slice(0, Math.max(text.indexOf(": "), 0));
  if (name.length < 3 || texts.has(text, pixels, bold, room)) return text;
  return texts.has(name, pixels, bold, room) ? name : text;
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
