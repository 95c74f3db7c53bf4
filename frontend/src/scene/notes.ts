/** What is written on wires: shapes and dtypes, where one looks closely and there is room. */

import type { Atlas } from "./atlas";
import { overlaps, type Rect } from "./camera";
import { mixed } from "./colour";
import { type Curves, spotOf } from "./curve";
import type { LabelSet } from "./labels";
import { place, type Situation } from "./lettering";
import { boxShowing, scopeOfWire } from "./motion";
import { eachIn } from "./nest";
import type { Texts } from "./texts";

/** Space between a wire and what is written at it, in CSS pixels. */
const BESIDE = 8;

/** Shapes and dtypes on wires, where nothing is written yet. */
export function writeWires(labels: LabelSet, atlas: Atlas, texts: Texts, now: Situation): void {
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
      const inScope =
        scope < 0 ? 400 : (boxes.x[scope] + boxes.width[scope] - x) * camera.zoom - BESIDE - 4;
      const text = texts.cut(label, size, false, inScope);
      if (text.length < Math.min(label.length, 5)) continue;
      const wide = atlas.measure(text, size, false) + 6;
      const spot = {
        x: x * camera.zoom + BESIDE,
        y: y * camera.zoom - size * 0.7,
        width: wide,
        height: size * 1.4,
      };
      // Where the wire itself bends to the right, its text goes to the left.
      const isLeft = crosses(curves, wire, spot, camera.zoom);
      if (isLeft) {
        spot.x = x * camera.zoom - BESIDE - wide;
        if (crosses(curves, wire, spot, camera.zoom)) continue;
        if (scope >= 0 && spot.x < boxes.x[scope] * camera.zoom) continue;
      }
      if (taken.some((other) => overlaps(other, spot))) continue;
      taken.push(spot);
      left--;
      const sheets = colours.scopes;
      const ground =
        scope >= 0 && sheets.length > 0
          ? sheets[(Math.max(picture.boxes.depth[scope], 1) - 1) % sheets.length]
          : colours.ground;
      const { lit } = paint;
      const near = (item: number | null) =>
        item !== null &&
        (item === picture.wires.source[wire] || item === picture.wires.target[wire]);
      const dim =
        lit !== null &&
        !near(paint.selected) &&
        !near(paint.hovered) &&
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
        {
          x: x + ((isLeft ? -1 : 1) * BESIDE) / camera.zoom,
          y,
          align: isLeft ? "right" : "left",
        },
        z,
        {
          ink: dim ? mixed(ink, ground, 0.7) : ink,
          inkAlpha: alpha,
          plate: ground,
          plateAlpha: 0.6 * alpha,
          room: Math.round(2 * ratio),
        },
      );
    }
  });
}

/** Tells whether a wire runs through a rectangle, which is in screen pixels from the origin. */
function crosses(curves: Curves, wire: number, rect: Rect, zoom: number): boolean {
  const { start, x, y } = curves;
  for (let i = start[wire]; i < start[wire + 1] - 1; i++) {
    const left = Math.min(x[i], x[i + 1]) * zoom;
    const top = Math.min(y[i], y[i + 1]) * zoom;
    const piece = {
      x: left,
      y: top,
      width: Math.abs(x[i + 1] - x[i]) * zoom + 0.1,
      height: Math.abs(y[i + 1] - y[i]) * zoom + 0.1,
    };
    if (overlaps(piece, rect)) return true;
  }
  return false;
}
