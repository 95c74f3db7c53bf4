/** Images of the canvas, also larger than the graphics card can draw at once. */

import type { Rect, Screen } from "./camera";
import type { Camera } from "./stage";

/** Most pixels along a side of an image, and in all: what browsers make without failing. */
const LONGEST = 16_000;
const LARGEST = 90_000_000;

/** Draws what a camera sees on a screen of that size, `ratio` device pixels for each of its own. */
export type Shoot = (camera: Camera, screen: Screen, ratio: number) => HTMLCanvasElement;

/** Size of an image in device pixels, made smaller where it would be too large. */
export function imageSize(
  width: number,
  height: number,
  scale: number,
): { readonly width: number; readonly height: number; readonly scale: number } {
  const fits = Math.min(
    scale,
    LONGEST / Math.max(width, 1),
    LONGEST / Math.max(height, 1),
    Math.sqrt(LARGEST / Math.max(width * height, 1)),
  );
  return {
    width: Math.max(1, Math.floor(width * fits)),
    height: Math.max(1, Math.floor(height * fits)),
    scale: fits,
  };
}

/**
 * Draws a part of the picture tile by tile into one image.
 *
 * @param part what is to be seen, in picture coordinates
 * @param zoom screen pixels per picture pixel, by which texts and lines are chosen
 * @param scale device pixels per screen pixel
 * @param tile side of the largest square that can be drawn at once, in device pixels
 */
export function tiled(
  part: Rect,
  zoom: number,
  scale: number,
  tile: number,
  shoot: Shoot,
): HTMLCanvasElement {
  const size = imageSize(part.width * zoom, part.height * zoom, scale);
  const image = document.createElement("canvas");
  image.width = size.width;
  image.height = size.height;
  const pen = image.getContext("2d");
  if (pen === null) throw new Error("This browser gives no 2D canvas to make an image on.");
  // Where the image is smaller than wanted, letters would not be legible: they are left out then.
  const ratio = Math.max(size.scale, 0.02);
  const fine = zoom * size.scale;
  const shown = ratio < 1 ? { zoom: fine, ratio: 1 } : { zoom, ratio };
  for (let y = 0; y < size.height; y += tile) {
    for (let x = 0; x < size.width; x += tile) {
      const width = Math.min(tile, size.width - x);
      const height = Math.min(tile, size.height - y);
      const camera = {
        x: part.x + (x + width / 2) / fine,
        y: part.y + (y + height / 2) / fine,
        zoom: shown.zoom,
      };
      const screen = { width: width / shown.ratio, height: height / shown.ratio };
      pen.drawImage(shoot(camera, screen, shown.ratio), x, y);
    }
  }
  return image;
}

/** A canvas as a PNG file. */
export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) {
        const size = `${canvas.width}×${canvas.height}`;
        reject(
          new Error(`The browser could not make a PNG of ${size} pixels; try a smaller scale.`),
        );
      } else resolve(blob);
    }, "image/png");
  });
}
