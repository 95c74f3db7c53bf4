/** Where on a wire there is room to write what it carries, on nothing else. */

import { lengthOf, pointAt } from "./curve";
import { boxShowing, type Scenery, scopeOfWire } from "./motion";
import type { Room } from "./obstacles";

/** A text at a wire: its middle line, and which of its ends is at the wire. */
export interface Spot {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly align: "left" | "right";
}

/** The spots of a picture for texts of one size. */
export interface Spots {
  /** Where the label of a wire stands, null if it has no room or is said at another wire. */
  readonly of: (wire: number) => Spot | null;
}

/** Space between a wire and what is written at it, and around that, in pixels. */
const BESIDE = 8;
const AROUND = 4;
/** How far from its source a wire is written on, in pixels; in the middle of shorter ones. */
const NEAR = 14;
const FAR = 44;

/**
 * Finds spots as they are asked for. `measure` gives the width of a text in letters of `size`
 * picture pixels. A value that runs to several boxes is written once.
 */
export function spotsOf(
  { picture, nest, curves }: Scenery,
  room: Room,
  label: (wire: number) => string,
  measure: (text: string, size: number) => number,
  size: number,
): Spots {
  const { source, target } = picture.wires;
  const known = new Map<number, Spot | null>();
  const said = new Set<string>();
  const find = (wire: number): Spot | null => {
    const from = boxShowing(picture, source[wire]);
    const to = boxShowing(picture, target[wire]);
    const scope = scopeOfWire(nest, from, to);
    // Within a scope, what enters and leaves it is not written again.
    if (scope === from || scope === to) return null;
    const length = lengthOf(curves, wire);
    if (length < size * 1.9) return null;
    const full = label(wire);
    const key = `${source[wire]} ${full}`;
    if (full === "" || said.has(key)) return null;
    const short = shapeOf(full);
    const texts = short === full ? [full] : [full, short];
    for (const far of new Set([NEAR, FAR].map((at) => Math.min(at, length / 2)))) {
      const [x, y] = pointAt(curves, wire, far);
      for (const align of ["left", "right"] as const) {
        for (const text of texts) {
          const wide = measure(text, size);
          const rect = {
            x: (align === "left" ? x + BESIDE : x - BESIDE - wide) - AROUND,
            y: y - size * 0.65,
            width: wide + 2 * AROUND,
            height: size * 1.3,
          };
          if (!room.isFree(rect)) continue;
          room.take(rect);
          said.add(key);
          return { text, x: align === "left" ? x + BESIDE : x - BESIDE, y, align };
        }
      }
    }
    return null;
  };
  return {
    of: (wire) => {
      let spot = known.get(wire);
      if (spot === undefined) {
        spot = find(wire);
        known.set(wire, spot);
      }
      return spot;
    },
  };
}

/** What is left of `1×64 float32 +2` without the dtype. */
function shapeOf(label: string): string {
  const [shape, ...rest] = label.split(" ");
  return [shape, ...rest.filter((word) => word.startsWith("+"))].join(" ");
}
