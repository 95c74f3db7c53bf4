/** Pictures of any size without a layout: scopes of 50 boxes in columns, wired one to the next. */

import type { Picture } from "../src/layout/picture";

/** Makes a picture of about `count` closed boxes. */
export function madePicture(count: number): Picture {
  const inScope = 50;
  const scopes = Math.ceil(count / inScope);
  const across = Math.max(1, Math.round(Math.sqrt(scopes / 10)));
  const boxes = scopes + count;
  const picture: Picture = {
    width: across * 300,
    height: Math.ceil(scopes / across) * 3700,
    boxes: {
      item: new Int32Array(boxes),
      x: new Float64Array(boxes),
      y: new Float64Array(boxes),
      width: new Float32Array(boxes),
      height: new Float32Array(boxes),
      depth: new Int32Array(boxes),
      open: new Uint8Array(boxes),
      repeat: new Int32Array(boxes).fill(1),
    },
    wires: {
      source: new Int32Array(count),
      target: new Int32Array(count),
      edge: new Int32Array(count).map((_, i) => i),
      values: new Int32Array(count).fill(1),
      bytes: new Float64Array(count).fill(1e6),
      start: new Int32Array(count + 1).map((_, i) => 2 * i),
      x: new Float64Array(2 * count),
      y: new Float64Array(2 * count),
    },
    boxOf: new Int32Array(boxes).map((_, i) => i),
  };
  let box = 0;
  let wire = 0;
  const put = (x: number, y: number, width: number, height: number, depth: number) => {
    picture.boxes.item[box] = box;
    picture.boxes.x[box] = x;
    picture.boxes.y[box] = y;
    picture.boxes.width[box] = width;
    picture.boxes.height[box] = height;
    picture.boxes.depth[box] = depth;
    return box++;
  };
  for (let scope = 0; scope < scopes; scope++) {
    const left = (scope % across) * 300;
    const top = Math.floor(scope / across) * 3700;
    const inside = Math.min(inScope, count - scope * inScope);
    picture.boxes.open[put(left, top, 240, 40 + inside * 72, 1)] = 1;
    for (let i = 0; i < inside; i++) {
      const is = put(left + 20 + 40 * (i % 2), top + 40 + i * 72, 160, 44, 2);
      if (wire >= count) continue;
      picture.wires.source[wire] = is;
      picture.wires.target[wire] = Math.min(is + (i + 1 < inside ? 1 : 0), boxes - 1);
      picture.wires.x[2 * wire] = left + 100 + 40 * (i % 2);
      picture.wires.y[2 * wire] = top + 84 + i * 72;
      picture.wires.x[2 * wire + 1] = left + 100 + 40 * ((i + 1) % 2);
      picture.wires.y[2 * wire + 1] = top + 112 + i * 72;
      wire++;
    }
  }
  return picture;
}
