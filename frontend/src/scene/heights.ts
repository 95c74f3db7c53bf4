/** How high boxes stand in 3D. */

import type { Heights } from "./drawing";
import type { Scenery } from "./motion";
import { boxShowing, scopeOfWire } from "./motion";
import type { Dimension } from "./stage";

/** Height of a storey and of a box on it in pixels, while there are few storeys. */
const STOREY = 24;
const BODY = 15;
/** All storeys together are at most this high. */
const HIGHEST = 900;
/** Height of the largest volume. */
const LARGEST = 170;

/** Base and top of all boxes: flat in 2D, a storey for each scope, or bodies by `volume`. */
export function heightsOf(
  scenery: Scenery,
  dimension: Dimension,
  volume: (box: number) => number,
): Heights {
  const { picture, nest } = scenery;
  const { boxes, wires } = picture;
  const count = boxes.item.length;
  const base = new Float32Array(count);
  const top = new Float32Array(count);
  const wire = new Float32Array(wires.source.length);
  if (dimension === "2d") return { base, top, wire };
  let deepest = 1;
  for (let box = 0; box < count; box++) deepest = Math.max(deepest, boxes.depth[box]);
  const storey = dimension === "nesting" ? Math.min(STOREY, HIGHEST / deepest) : 3;
  for (let box = 0; box < count; box++) {
    const around = nest.parent[box];
    base[box] = around < 0 ? 0 : top[around];
    if (boxes.open[box] === 1) top[box] = base[box] + storey;
    else if (dimension === "nesting") top[box] = base[box] + Math.min(BODY, storey);
    else top[box] = base[box] + 2 + LARGEST * Math.min(Math.max(volume(box), 0), 1);
  }
  for (let at = 0; at < wire.length; at++) {
    const scope = scopeOfWire(
      nest,
      boxShowing(picture, wires.source[at]),
      boxShowing(picture, wires.target[at]),
    );
    wire[at] = (scope < 0 ? 0 : top[scope]) + 0.8;
  }
  return { base, top, wire };
}

/** Heights on the way from one to another. */
export function heightsBetween(from: Heights, to: Heights, t: number): Heights {
  const mix = (a: Float32Array, b: Float32Array) => {
    const result = new Float32Array(b.length);
    for (let i = 0; i < b.length; i++) result[i] = a[i] + (b[i] - a[i]) * t;
    return result;
  };
  return {
    base: mix(from.base, to.base),
    top: mix(from.top, to.top),
    wire: mix(from.wire, to.wire),
  };
}
