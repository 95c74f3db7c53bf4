/** A picture as SVG text: the same look as on the canvas, for other programs and for paper. */

import { textWidth } from "../graph/caption";
import type { Item } from "../graph/network";
import { HEADER, type Picture } from "../layout/picture";
import { FONT } from "./atlas";
import { overlaps, type Rect } from "./camera";
import { hex, inkOn, mixed } from "./colour";
import { curvesOf, pathOf, short } from "./curve";
import { boxShowing, scopeOfWire } from "./motion";
import { nestOf } from "./nest";
import { obstaclesOf, roomAmong } from "./obstacles";
import { spotsOf } from "./spots";
import type { Caption, Paint } from "./stage";
import { LEGEND, type Ramp, rampSvg } from "./svg_legend";
import { escaped, rect, text } from "./svg_shapes";
import { bytesWidth } from "./wires";

/** What of a picture is written, and how. */
export interface SvgOptions {
  /** A part of the picture only, in its coordinates. */
  readonly part?: Rect;
  /** Shapes on wires. */
  readonly wireLabel?: (wire: number) => string;
  /** Title of the document, for screen readers. */
  readonly title?: string;
  /** What the colours of boxes mean, written below the picture. */
  readonly legend?: Ramp | null;
}

const MARGIN = 16;
/** Size of what is written on wires. */
const LABEL_SIZE = 9.5;
const MARKS = ["", "#009e73", "#d55e00", "#0072b2"] as const;

/** Writes a picture as an SVG document. */
export function toSvg(
  picture: Picture,
  caption: (item: Item) => Caption,
  paint: Paint,
  options: SvgOptions = {},
): string {
  const { boxes, wires } = picture;
  const { colours, lit } = paint;
  const part = options.part ?? {
    x: -MARGIN,
    y: -MARGIN,
    width: picture.width + 2 * MARGIN,
    height: picture.height + 2 * MARGIN,
  };
  const left = part.x;
  const top = part.y;
  const { legend } = options;
  const width = legend ? Math.max(part.width, LEGEND.width + 2 * MARGIN) : part.width;
  const height = part.height + (legend ? LEGEND.height + MARGIN : 0);
  const nest = nestOf(picture);
  const scenery = { picture, nest, curves: curvesOf(wires) };
  const { wireLabel } = options;
  const spots =
    wireLabel &&
    spotsOf(scenery, roomAmong(obstaclesOf(scenery)), wireLabel, textWidth, LABEL_SIZE);
  const inPart = (box: number) =>
    overlaps(part, {
      x: boxes.x[box],
      y: boxes.y[box],
      width: boxes.width[box],
      height: boxes.height[box],
    });
  const dimmed = (item: Item) => lit !== null && !lit.has(item);
  const sheetOf = (box: number) => {
    const { scopes, ground } = colours;
    if (box < 0 || scopes.length === 0) return ground;
    return scopes[(Math.max(boxes.depth[box], 1) - 1) % scopes.length];
  };

  const lines: string[] = [];
  const notes: string[] = [];
  const sheets: string[] = [];
  const bodies: string[] = [];
  for (let box = 0; box < boxes.item.length; box++) {
    if (!inPart(box)) continue;
    if (boxes.open[box] === 1) sheets.push(openBox(box));
    else bodies.push(closedBox(box));
  }
  for (let wire = 0; wire < wires.source.length; wire++) writeWire(wire);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}"`,
    ` viewBox="0 0 ${short(width)} ${short(height)}" font-family='${FONT.replace(/'/g, "")}'>`,
    `<title>${escaped(options.title ?? "Network")}</title>`,
    marker("tip", colours.wire),
    marker("tip-lit", colours.accent),
    marker("tip-dim", mixed(colours.wire, colours.ground, 0.78)),
    `<rect width="100%" height="100%" fill="${hex(colours.ground)}"/>`,
    `<g>${sheets.join("\n")}</g>`,
    `<g fill="none">${lines.join("\n")}</g>`,
    `<g>${bodies.join("\n")}</g>`,
    `<g>${notes.join("\n")}</g>`,
    legend ? rampSvg(legend, MARGIN, part.height, colours) : "",
    "</svg>\n",
  ].join("\n");

  function openBox(box: number): string {
    const item = boxes.item[box];
    const sheet = sheetOf(box);
    const dim = dimmed(item) ? 0.5 : 0;
    const header = mixed(mixed(sheet, paint.fill(box), 0.55), colours.ground, dim);
    const [x, y, width, height] = frame(box);
    const { title, detail } = caption(item);
    const ink = mixed(inkOn(header, colours.text), colours.ground, dim);
    const room = width - 22 - (boxes.repeat[box] > 1 ? 40 : 0);
    const name = cut(title, 13, room);
    const used = textWidth(name, 13) + 10;
    const parts = [
      rect(x, y, width, height, 10, mixed(sheet, colours.ground, dim), lineOf(box), 1.15),
      `<path d="${headerPath(x, y, width)}" fill="${hex(header)}"/>`,
      `<path d="M${short(x)} ${short(y + HEADER)}H${short(x + width)}" stroke="${hex(lineOf(box))}" stroke-opacity="0.5"/>`,
    ];
    // Wires that enter from above run behind the name, so it is written after them.
    const plate = `<rect x="${short(x + 10)}" y="${short(y + 4)}" width="${short(used - 6)}" height="18" fill="${hex(header)}"/>`;
    notes.push(plate, text(x + 12, y + HEADER / 2 + 4.5, 13, ink, name, "start", true));
    if (detail !== "" && room - used > 40) {
      const faint = mixed(ink, header, 0.35);
      const rest = cut(detail, 10.5, room - used);
      notes.push(text(x + 12 + used, y + HEADER / 2 + 4, 10.5, faint, rest, "start", false));
    }
    if (boxes.repeat[box] > 1) parts.push(times(box, x + width - 10, y + HEADER / 2 + 4, ink));
    parts.push(markOf(box));
    return parts.join("");
  }

  function closedBox(box: number): string {
    const item = boxes.item[box];
    const dim = dimmed(item) ? 0.8 : 0;
    const fill = mixed(paint.fill(box), colours.ground, dim);
    const [x, y, width, height] = frame(box);
    const radius = height < 27 ? height / 2 : 7;
    const size = height < 27 ? 11.5 : 13;
    const { title, detail } = caption(item);
    const two = height >= 38 && detail !== "";
    const badge = boxes.repeat[box] > 1;
    const ink = mixed(inkOn(paint.fill(box), colours.text), colours.ground, dim);
    const line = two ? 15.5 : height / 2;
    const middle = x + width / 2;
    const parts: string[] = [];
    for (let back = Math.min(boxes.repeat[box], 3) - 1; back > 0; back--) {
      const behind = mixed(fill, colours.ground, 0.25 * back);
      const shift = 3.5 * back;
      parts.push(rect(x + shift, y + shift, width, height, radius, behind, lineOf(box), 1.15));
    }
    parts.push(rect(x, y, width, height, radius, fill, lineOf(box), edgeOf(item)));
    const name = cut(title, size, width - 6 - (badge ? 34 : 0));
    const bold = height >= 27;
    parts.push(text(badge ? middle - 15 : middle, y + line + 4.5, size, ink, name, "middle", bold));
    if (two) {
      const faint = mixed(ink, fill, 0.28);
      parts.push(text(middle, y + 35, 10.5, faint, cut(detail, 10.5, width - 6), "middle", false));
    }
    if (badge) parts.push(times(box, x + width - 8, y + line + 4, ink));
    parts.push(markOf(box));
    return parts.join("");
  }

  function writeWire(wire: number): void {
    const path = pathOf(wires, wire, left, top);
    if (path === "") return;
    const first = wires.start[wire];
    const last = wires.start[wire + 1] - 1;
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let point = first; point <= last; point++) {
      x0 = Math.min(x0, wires.x[point]);
      x1 = Math.max(x1, wires.x[point]);
      y0 = Math.min(y0, wires.y[point]);
      y1 = Math.max(y1, wires.y[point]);
    }
    if (!overlaps(part, { x: x0 - 1, y: y0 - 1, width: x1 - x0 + 2, height: y1 - y0 + 2 })) return;
    const source = wires.source[wire];
    const target = wires.target[wire];
    const dim = dimmed(source) || dimmed(target);
    const touched =
      paint.selected !== null && (source === paint.selected || target === paint.selected);
    const colour = touched
      ? colours.accent
      : dim
        ? mixed(colours.wire, colours.ground, 0.78)
        : colours.wire;
    const targetBox = boxShowing(picture, target);
    const tip = touched ? "tip-lit" : dim ? "tip-dim" : "tip";
    const end = targetBox >= 0 && boxes.open[targetBox] === 0 ? ` marker-end="url(#${tip})"` : "";
    const wide = short(bytesWidth(wires.bytes[wire]));
    lines.push(`<path d="${path}" stroke="${hex(colour)}" stroke-width="${wide}"${end}/>`);
    const spot = spots?.of(wire);
    if (!spot) return;
    const scope = scopeOfWire(nest, boxShowing(picture, source), targetBox);
    const ink = mixed(colours.faint, sheetOf(scope), dim ? 0.7 : 0);
    const anchor = spot.align === "left" ? "start" : "end";
    notes.push(text(spot.x - left, spot.y - top + 3, LABEL_SIZE, ink, spot.text, anchor, false));
  }

  function frame(box: number): [number, number, number, number] {
    return [boxes.x[box] - left, boxes.y[box] - top, boxes.width[box], boxes.height[box]];
  }

  function lineOf(box: number): number {
    const item = boxes.item[box];
    if (item === paint.selected) return colours.accent;
    const line = boxes.open[box] === 1 ? colours.scopeLine : paint.line(box);
    return dimmed(item) ? mixed(line, colours.ground, 0.72) : line;
  }

  function edgeOf(item: Item): number {
    return item === paint.selected ? 2.5 : 1.15;
  }

  function times(box: number, x: number, y: number, ink: number): string {
    return text(x, y, 11.5, ink, `×${boxes.repeat[box]}`, "end", false);
  }

  /** Marks of a comparison: a strip on the left, and a sign, so that colour is not all that tells. */
  function markOf(box: number): string {
    const mark = paint.mark?.(box) ?? 0;
    if (mark === 0) return "";
    const [x, y, , height] = frame(box);
    const sign = ["", "+", "−", "~"][mark];
    return (
      `<rect x="${short(x)}" y="${short(y + 5)}" width="5" height="${short(Math.max(height - 10, 4))}"` +
      ` fill="${MARKS[mark]}"/>${text(x - 7, y + 12, 13, Number.parseInt(MARKS[mark].slice(1), 16), sign, "middle", true)}`
    );
  }
}

function headerPath(x: number, y: number, width: number): string {
  const right = short(x + width - 0.6);
  const bottom = short(y + HEADER);
  const up = short(y + 9.5);
  const edge = short(y + 0.6);
  return (
    `M${short(x + 0.6)} ${bottom}V${up}Q${short(x + 0.6)} ${edge} ${short(x + 9.5)} ${edge}` +
    `H${short(x + width - 9.5)}Q${right} ${edge} ${right} ${up}V${bottom}Z`
  );
}

function marker(id: string, colour: number): string {
  return (
    `<defs><marker id="${id}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="10" markerHeight="10"` +
    ` markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.8L8 4L0 7.2Z" fill="${hex(colour)}"/>` +
    "</marker></defs>"
  );
}

/** The longest beginning of a text that has room. */
function cut(content: string, size: number, room: number): string {
  const letters = [...content.slice(0, 200)];
  if (letters.length === [...content].length && textWidth(content, size) <= room + 0.5) {
    return content;
  }
  while (letters.length > 1 && textWidth(`${letters.join("")}…`, size) > room) letters.pop();
  return letters.length > 1 ? `${letters.join("").trimEnd()}…` : "";
}
