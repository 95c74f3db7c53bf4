/** The legend of boxes that are coloured by a number, as SVG text. */

import { textWidth } from "../graph/caption";
import { type LegendTick, spaced } from "../scale/ticks";
import { FONT } from "./atlas";
import { hex } from "./colour";
import { short } from "./curve";
import type { Colours } from "./stage";
import { rect, text } from "./svg_shapes";

/** What the colours of a ramp mean. */
export interface Ramp {
  /** `Gradient: norm, step 120`. */
  readonly title: string;
  readonly log: boolean;
  /** Colours from low to high, evenly spaced. */
  readonly stops: readonly number[];
  readonly ticks: readonly LegendTick[];
  /** Fill of boxes that have no number. */
  readonly none: number;
  /** Fill of boxes whose number is not finite; null if there are none. */
  readonly broken: number | null;
}

/** Size of a legend in a picture. */
export const LEGEND = { width: 300, height: 56 } as const;

const BAR = { width: 280, height: 10 } as const;
const SMALL = 9.5;

/** Writes a legend whose upper left corner is at a place. */
export function rampSvg(ramp: Ramp, x: number, y: number, colours: Colours): string {
  const last = Math.max(ramp.stops.length - 1, 1);
  const stops = ramp.stops.map(
    (stop, at) => `<stop offset="${short(at / last)}" stop-color="${hex(stop)}"/>`,
  );
  const parts = [
    `<defs><linearGradient id="ramp">${stops.join("")}</linearGradient></defs>`,
    text(x, y + 9, 11.5, colours.text, ramp.title, "start", true),
    `<rect x="${short(x)}" y="${short(y + 16)}" width="${BAR.width}" height="${BAR.height}" rx="3"`,
    ` fill="url(#ramp)" stroke="${hex(colours.scopeLine)}" stroke-width="0.8"/>`,
  ];
  for (const { place, text: label } of spaced(ramp.ticks, BAR.width, widthOf)) {
    const at = x + place * BAR.width;
    // Numbers at the ends stay below the bar.
    const half = widthOf(label) / 2;
    const middle = Math.min(Math.max(at, x + half), x + BAR.width - half);
    parts.push(text(middle, y + 37, SMALL, colours.faint, label, "middle", false));
  }
  let right = x;
  const swatch = (fill: number, label: string) => {
    parts.push(rect(right, y + 44, 9, 9, 2, fill, colours.scopeLine, 0.8));
    parts.push(text(right + 13, y + 52, SMALL, colours.faint, label, "start", false));
    right += 13 + widthOf(label) + 14;
  };
  swatch(ramp.none, "none");
  if (ramp.broken !== null) swatch(ramp.broken, "not finite");
  const kind = ramp.log ? "logarithmic" : "linear";
  parts.push(text(x + BAR.width, y + 52, SMALL, colours.faint, kind, "end", false));
  return `<g>${parts.join("")}</g>`;
}

/** Writes a legend as a document of its own. */
export function legendSvg(ramp: Ramp, colours: Colours): string {
  const { width, height } = LEGEND;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`,
    ` viewBox="0 0 ${width} ${height}" font-family='${FONT.replace(/'/g, "")}'>`,
    rampSvg(ramp, 0, 0, colours),
    "</svg>\n",
  ].join("\n");
}

function widthOf(label: string): number {
  return textWidth(label, SMALL);
}
