/**
 * Tables on the graphics card, which vertex shaders read by row number.
 *
 * Boxes and wires are not drawn as instances: cards handle thousands of small instances badly,
 * and drawing in software takes them one by one. All corners are vertices of one plain mesh
 * instead, and look up their box by the number of the vertex.
 */

import {
  BufferAttribute,
  BufferGeometry,
  DataTexture,
  FloatType,
  IntType,
  NearestFilter,
  type PixelFormat,
  RGBAFormat,
  RGBAIntegerFormat,
  type TextureDataType,
  UnsignedByteType,
} from "three";

const WIDTH = 2048;

/** Rows of four numbers. */
export interface Table<T extends Int32Array | Uint8Array | Float32Array> {
  readonly texture: DataTexture;
  /** The numbers; another array after `resize`. */
  readonly array: T;
  /** Says that rows changed: all of them, or `count` from `first` on. */
  readonly touch: (first?: number, count?: number) => void;
  /** Makes room for more rows; what was in the table is lost. */
  readonly resize: (rows: number) => void;
}

/** A table of integers. */
export function intTable(rows: number): Table<Int32Array> {
  return table((count) => new Int32Array(count), rows, RGBAIntegerFormat, IntType, "RGBA32I");
}

/** A table of bytes. */
export function byteTable(rows: number): Table<Uint8Array> {
  return table(
    (count) => new Uint8Array(count),
    rows,
    RGBAIntegerFormat,
    UnsignedByteType,
    "RGBA8UI",
  );
}

/** A table of floats. */
export function floatTable(rows: number): Table<Float32Array> {
  return table((count) => new Float32Array(count), rows, RGBAFormat, FloatType, "RGBA32F");
}

/** Reads row `i` of a table in a shader. */
export const TABLE_GLSL = /* glsl */ `
precision highp isampler2D;
precision highp usampler2D;
precision highp sampler2D;
ivec2 row(int i) {
  return ivec2(i & ${WIDTH - 1}, i >> ${Math.log2(WIDTH)});
}
`;

function room(rows: number): number {
  return 4 * WIDTH * Math.max(1, Math.ceil(rows / WIDTH));
}

function table<T extends Int32Array | Uint8Array | Float32Array>(
  make: (count: number) => T,
  rows: number,
  format: PixelFormat,
  type: TextureDataType,
  internal: "RGBA32I" | "RGBA8UI" | "RGBA32F",
): Table<T> {
  let array = make(room(rows));
  const texture = new DataTexture(
    array as unknown as Uint8Array<ArrayBuffer>,
    WIDTH,
    array.length / 4 / WIDTH,
    format,
    type,
  );
  texture.internalFormat = internal;
  texture.minFilter = NearestFilter;
  texture.magFilter = NearestFilter;
  texture.generateMipmaps = false;
  texture.needsUpdate = true;
  // Until all of it is sent, a part must not be sent instead.
  let whole = true;
  texture.onUpdate = () => {
    whole = false;
  };
  return {
    texture,
    get array() {
      return array;
    },
    resize: (more) => {
      const length = room(more);
      if (array.length >= length) return;
      array = make(length);
      // The card's own texture has the old size: it is freed, and made anew with the next frame.
      texture.dispose();
      texture.image = {
        data: array as unknown as Uint8Array<ArrayBuffer>,
        width: WIDTH,
        height: length / 4 / WIDTH,
      };
      whole = true;
      texture.clearUpdateRanges();
      texture.needsUpdate = true;
    },
    touch: (first, count = 1) => {
      if (first === undefined) {
        whole = true;
        texture.clearUpdateRanges();
      } else if (!whole) {
        // A range may not go over the end of a line of the texture.
        for (let at = first; at < first + count; ) {
          const end = Math.min(first + count, (Math.floor(at / WIDTH) + 1) * WIDTH);
          texture.addUpdateRange(4 * at, 4 * (end - at));
          at = end;
        }
      }
      texture.needsUpdate = true;
    },
  };
}

/** Frees a mesh of squares, but not the corners that others share. */
export function disposeSquares(geometry: BufferGeometry): void {
  geometry.setIndex(null);
  geometry.dispose();
}

let shared: BufferAttribute | null = null;

/** A mesh of `count` squares without data of its own: vertex `4 i + k` is corner `k` of square `i`. */
export function squares(count: number): BufferGeometry {
  const geometry = new BufferGeometry();
  geometry.setIndex(cornersOf(count));
  geometry.setDrawRange(0, 6 * count);
  return geometry;
}

/** Corners of triangles; one list serves all meshes, and grows. */
function cornersOf(count: number): BufferAttribute {
  if (shared !== null && shared.count >= 6 * count) return shared;
  const most = Math.max(1024, Math.ceil(count * 1.25));
  const corners = new Uint32Array(6 * most);
  for (let i = 0; i < most; i++) {
    corners[6 * i] = 4 * i;
    corners[6 * i + 1] = 4 * i + 1;
    corners[6 * i + 2] = 4 * i + 2;
    corners[6 * i + 3] = 4 * i;
    corners[6 * i + 4] = 4 * i + 2;
    corners[6 * i + 5] = 4 * i + 3;
  }
  shared = new BufferAttribute(corners, 1);
  return shared;
}
