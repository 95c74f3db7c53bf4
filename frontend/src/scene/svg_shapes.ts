/** Parts of SVG text: a rectangle, a line of writing, a name that is nothing but text. */

import { hex } from "./colour";
import { short } from "./curve";

/** A rectangle with round corners. */
export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
  fill: number,
  line: number,
  thick: number,
): string {
  const place = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
  const look = `rx="${short(radius)}" fill="${hex(fill)}" stroke="${hex(line)}"`;
  return `<rect ${place} ${look} stroke-width="${thick}"/>`;
}

/** A line of writing; nothing for an empty one. */
export function text(
  x: number,
  y: number,
  size: number,
  ink: number,
  content: string,
  anchor: "start" | "middle" | "end",
  bold: boolean,
): string {
  if (content === "") return "";
  const weight = bold ? ' font-weight="600"' : "";
  const align = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const place = `x="${short(x)}" y="${short(y)}" font-size="${size}"`;
  return `<text ${place}${weight}${align} fill="${hex(ink)}">${escaped(content)}</text>`;
}

/** Text that XML reads as text and nothing else; what XML cannot hold becomes a space. */
export function escaped(content: string): string {
  return content
    .replace(
      /[^\u0020-\u007e\u00a0-\u200d\u2010-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd]|[\ud800-\udbff][\udc00-\udfff]/g,
      (found) => (found.length === 2 ? found : " "),
    )
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}
