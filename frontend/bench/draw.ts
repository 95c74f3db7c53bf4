/**
 * Draws the layout of a network as a plain SVG, and counts what is not as it should be.
 *
 * `npx rolldown bench/draw.ts --platform node -o /tmp/draw.mjs`, then
 * `node /tmp/draw.mjs NETWORK.json.gz OUT.svg DEPTH [unfold]`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { caption } from "../src/graph/caption";
import type { Network } from "../src/graph/network";
import { outline } from "../src/graph/outline";
import { readWire } from "../src/graph/read";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import type { Picture } from "../src/layout/picture";
import { survey } from "../src/layout/survey";

const [file, out, depth = "1", unfold = ""] = process.argv.slice(2);
const started = performance.now();
const network = readWire(JSON.parse(gunzipSync(readFileSync(file)).toString())).networks[0];
const known = survey(outline(network));
const surveyed = performance.now();
const open = new Set<number>();
const unfolded = new Set<number>();
for (let item = network.root; item < network.root + network.scopes; item++) {
  if (network.depth[item] < Number(depth)) open.add(item);
  if (unfold !== "") unfolded.add(item);
}
const opening = { open, unfolded, aspect: 1.6 };
const memo = emptyMemo();
const before = performance.now();
const picture = layOut(known, opening, memo);
const after = performance.now();
layOut(known, opening, memo);
const again = performance.now();
const figures = {
  boxes: picture.boxes.item.length,
  wires: picture.wires.source.length,
  points: picture.wires.x.length,
  size: `${Math.round(picture.width)}×${Math.round(picture.height)}`,
  read: Math.round(surveyed - started),
  layout: Math.round(after - before),
  again: Math.round(again - after),
  through: picture.wires.source.length > 20000 ? "-" : throughBoxes(picture),
};
console.log(file.replace(/.*\//, ""), JSON.stringify(figures));
if (out !== undefined && out !== "-") writeFileSync(out, svg(network, picture));

/** Wires that run through a box that is not around them. */
function throughBoxes({ boxes, wires, boxOf }: Picture): number {
  let found = 0;
  for (let wire = 0; wire < wires.source.length; wire++) {
    let hit = false;
    const a = boxOf[wires.source[wire]];
    const b = boxOf[wires.target[wire]];
    for (let point = wires.start[wire]; point < wires.start[wire + 1] - 1 && !hit; point++) {
      for (let step = 0; step < 8 && !hit; step++) {
        const t = (step + 0.5) / 8;
        const x = wires.x[point] + (wires.x[point + 1] - wires.x[point]) * t * t * (3 - 2 * t);
        const y = wires.y[point] + (wires.y[point + 1] - wires.y[point]) * t * (1.5 + t * (t - 1.5));
        for (let box = 0; box < boxes.item.length; box++) {
          if (boxes.open[box] === 1 || box === a || box === b) continue;
          if (x <= boxes.x[box] + 0.5 || x >= boxes.x[box] + boxes.width[box] - 0.5) continue;
          if (y <= boxes.y[box] + 0.5 || y >= boxes.y[box] + boxes.height[box] - 0.5) continue;
          hit = true;
          break;
        }
      }
    }
    if (hit) found++;
  }
  return found;
}

function svg(shown: Network, { width, height, boxes, wires }: Picture): string {
  const safe = (text: string) => text.replace(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
  const parts: string[] = [];
  for (let box = 0; box < boxes.item.length; box++) {
    const [x, y, w, h] = [boxes.x[box], boxes.y[box], boxes.width[box], boxes.height[box]];
    const { title } = caption(shown, boxes.item[box]);
    const times = boxes.repeat[box] > 1 ? ` ×${boxes.repeat[box]}` : "";
    const fill = boxes.open[box] === 1 ? ["#f4f6fa", "#e9edf5", "#dfe5f0", "#d5dded"][boxes.depth[box] % 4] : "#fff";
    parts.push(`<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="6" fill="${fill}" stroke="#89a"/>`);
    const ty = boxes.open[box] === 1 ? y + 17 : y + h / 2 + 4;
    const tx = boxes.open[box] === 1 ? x + 8 : x + w / 2;
    const anchor = boxes.open[box] === 1 ? "start" : "middle";
    parts.push(`<text x="${tx}" y="${ty}" font-size="11" text-anchor="${anchor}">${safe(title + times)}</text>`);
  }
  for (let wire = 0; wire < wires.source.length; wire++) {
    let path = "";
    for (let point = wires.start[wire]; point < wires.start[wire + 1]; point++) {
      const [x, y] = [wires.x[point].toFixed(1), wires.y[point].toFixed(1)];
      if (path === "") path = `M${x} ${y}`;
      else {
        const middle = ((wires.y[point - 1] + wires.y[point]) / 2).toFixed(1);
        path += `C${wires.x[point - 1].toFixed(1)} ${middle} ${x} ${middle} ${x} ${y}`;
      }
    }
    parts.push(`<path d="${path}" fill="none" stroke="#468" stroke-opacity=".75" stroke-width="1.5"/>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 ${width + 20} ${height + 20}" width="${width + 20}" height="${height + 20}" font-family="DejaVu Sans"><rect x="-10" y="-10" width="100%" height="100%" fill="#fff"/>${parts.join("\n")}</svg>`;
}
