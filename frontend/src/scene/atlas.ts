/** Texts as pictures on the graphics card: each is drawn once per size, as sharp as the screen. */

import { DataTexture, LinearFilter, RedFormat, UnsignedByteType, type WebGLRenderer } from "three";

/** Where a text is in the atlas, in texels. */
export interface Glyphs {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Texts on the card. */
export interface Atlas {
  readonly texture: DataTexture;
  readonly size: number;
  /** A text at a size in device pixels; null if it is not there and the time is up. */
  readonly find: (text: string, size: number, bold: boolean) => Glyphs | null;
  /** Width of a text at a size. */
  readonly measure: (text: string, size: number, bold: boolean) => number;
  /** Gives `milliseconds` to draw new texts with until the next call; all if Infinity. */
  readonly allow: (milliseconds: number) => void;
  /** True if a text was refused since `allow`. */
  readonly wanting: () => boolean;
  /** Forgets all texts, when the card lost them. */
  readonly reset: () => void;
  readonly dispose: () => void;
}

/** Font of all texts; no file is loaded. */
export const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", Arial, sans-serif';

/** Texts that are drawn in a frame even if the time is up. */
const ALWAYS = 8;

/** Size at which widths are measured; they are in proportion at other sizes. */
const MEASURE = 32;

interface Shelf {
  readonly y: number;
  readonly height: number;
  used: number;
}

/** Makes an empty atlas of `size` × `size` texels. */
export function makeAtlas(renderer: WebGLRenderer, size: number): Atlas {
  // Nothing is sent for the whole: the card begins with zeros, and texts are written into it.
  const texture = new DataTexture(null, size, size, RedFormat, UnsignedByteType);
  texture.source.dataReady = false;
  texture.minFilter = LinearFilter;
  texture.magFilter = LinearFilter;
  texture.generateMipmaps = false;
  texture.unpackAlignment = 1;
  texture.needsUpdate = true;
  const canvas = document.createElement("canvas");
  canvas.width = 2048;
  canvas.height = 128;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) throw new Error("This browser gives no 2D canvas to draw texts on.");
  const widths = new Map<string, number>();
  let known = new Map<string, Map<number, Glyphs>>();
  let shelves: Shelf[] = [];
  let until = 0;
  let refused = false;
  let drawn = 0;
  let isFull = false;

  const forget = () => {
    known = new Map();
    shelves = [];
    isFull = false;
  };

  const fontOf = (pixels: number, bold: boolean) => `${bold ? 600 : 400} ${pixels}px ${FONT}`;

  const measure = (text: string, pixels: number, bold: boolean) => {
    const key = bold ? `b${text}` : `n${text}`;
    let width = widths.get(key);
    if (width === undefined) {
      if (widths.size > 50_000) widths.clear();
      pen.font = fontOf(MEASURE, bold);
      width = pen.measureText(text).width / MEASURE;
      widths.set(key, width);
    }
    return width * pixels;
  };

  const place = (width: number, height: number): { x: number; y: number } | null => {
    let top = 0;
    for (const shelf of shelves) {
      if (shelf.height === height && shelf.used + width <= size) {
        const x = shelf.used;
        shelf.used += width;
        return { x, y: shelf.y };
      }
      top = Math.max(top, shelf.y + shelf.height);
    }
    if (top + height > size) return null;
    shelves.push({ y: top, height, used: width });
    return { x: 0, y: top };
  };

  const draw = (text: string, pixels: number, bold: boolean): Glyphs | null => {
    const width = Math.min(Math.ceil(measure(text, pixels, bold)) + 3, canvas.width - 1, size - 1);
    const height = Math.min(Math.ceil(pixels * 1.36) + 2, canvas.height);
    // One texel of nothing between neighbours, so that they do not shine through.
    const spot = place(width + 1, height + 1);
    if (spot === null) {
      isFull = true;
      return null;
    }
    pen.clearRect(0, 0, width + 1, height + 1);
    pen.font = fontOf(pixels, bold);
    pen.textBaseline = "alphabetic";
    pen.direction = "ltr";
    pen.fillStyle = "#fff";
    pen.fillText(text, 1, Math.round(pixels * 1.02) + 1);
    const image = pen.getImageData(0, 0, width + 1, height + 1).data;
    const coverage = new Uint8Array((width + 1) * (height + 1));
    for (let i = 0; i < coverage.length; i++) coverage[i] = image[4 * i + 3];
    upload(renderer, texture, spot.x, spot.y, width + 1, height + 1, coverage);
    return { x: spot.x, y: spot.y, width, height };
  };

  return {
    texture,
    size,
    measure,
    find: (text, pixels, bold) => {
      const code = bold ? pixels : -pixels;
      const glyphs = known.get(text)?.get(code);
      if (glyphs !== undefined) return glyphs;
      if (isFull || (drawn >= ALWAYS && performance.now() > until)) {
        refused = true;
        return null;
      }
      drawn++;
      const made = draw(text, pixels, bold);
      if (made === null) {
        refused = true;
        return null;
      }
      let sizes = known.get(text);
      if (sizes === undefined) {
        sizes = new Map();
        known.set(text, sizes);
      }
      sizes.set(code, made);
      return made;
    },
    allow: (milliseconds) => {
      until = performance.now() + milliseconds;
      refused = false;
      drawn = 0;
      // Texts of this frame may not be overwritten within it, so room is made between frames.
      if (isFull) forget();
    },
    wanting: () => refused,
    reset: () => {
      forget();
      texture.needsUpdate = true;
    },
    dispose: () => texture.dispose(),
  };
}

/** Writes a part of the texture only; Three.js would send all of it. */
function upload(
  renderer: WebGLRenderer,
  texture: DataTexture,
  x: number,
  y: number,
  width: number,
  height: number,
  coverage: Uint8Array,
): void {
  const gl = renderer.getContext() as WebGL2RenderingContext;
  const held = renderer.properties.get(texture) as { __webglTexture?: WebGLTexture };
  if (held.__webglTexture === undefined) renderer.initTexture(texture);
  if (held.__webglTexture === undefined) return;
  renderer.state.bindTexture(gl.TEXTURE_2D, held.__webglTexture);
  renderer.state.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  renderer.state.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  renderer.state.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, width, height, gl.RED, gl.UNSIGNED_BYTE, coverage);
}
