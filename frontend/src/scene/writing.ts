/** Writes the labels of a frame: what is legible goes through the atlas onto the boxes. */

import { HEADER } from "../layout/picture";
import type { Atlas } from "./atlas";
import { inkOn, mixed } from "./colour";
import type { LabelSet } from "./labels";
import { legible, type Slot } from "./legible";
import { moved, place, type Situation } from "./lettering";
import { writeWires } from "./notes";
import type { Texts } from "./texts";

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
  // In 3D bodies stand before them.
  if (now.snap && camera.zoom >= 0.72) writeWires(labels, atlas, texts, now);
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
    room = 0;
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
