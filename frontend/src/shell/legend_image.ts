/** An image with what its colours mean below it. */

import type { Legend } from "../scale/colouring";
import { hex } from "../scene/colour";
import { imageSize, pngOf } from "../scene/png";
import { LEGEND, legendSvg } from "../scene/svg_legend";
import { COLOURS } from "./theme";

const MARGIN = 16;

/**
 * Puts the legend of a ramp below an image; a legend of categories is left out, as boxes say
 * what they are.
 *
 * @param scale device pixels for each of the legend's
 */
export async function withLegend(
  image: Blob,
  legend: Legend,
  theme: "light" | "dark",
  scale: number,
): Promise<Blob> {
  if (legend.kind !== "number") return image;
  const colours = COLOURS[theme];
  const picture = await createImageBitmap(image);
  const width = Math.max(picture.width, (LEGEND.width + 2 * MARGIN) * scale);
  const height = picture.height + (LEGEND.height + 2 * MARGIN) * scale;
  if (imageSize(width, height, 1).scale < 1) return image; // As large as can be already.
  const drawn = new Image();
  drawn.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(legendSvg(legend, colours))}`;
  await drawn.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  if (pen === null) return image;
  pen.fillStyle = hex(colours.ground);
  pen.fillRect(0, 0, width, height);
  pen.drawImage(picture, 0, 0);
  const [left, top] = [MARGIN * scale, picture.height + MARGIN * scale];
  pen.drawImage(drawn, left, top, LEGEND.width * scale, LEGEND.height * scale);
  return pngOf(canvas);
}
