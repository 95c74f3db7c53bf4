/** What the page and the layout worker tell each other. */

import type { Opening, Outline, Picture } from "./picture";

/** To the worker: the outline once, then what to lay out. */
export type Question =
  | { readonly kind: "outline"; readonly outline: Outline }
  | { readonly kind: "opening"; readonly number: number; readonly opening: Opening };

/** From the worker: the picture, or what went wrong. */
export interface Answer {
  readonly number: number;
  readonly picture: Picture | null;
  readonly trouble: string;
}

/** The memory of a picture, which moves to the page instead of being copied. */
export function buffersOf(picture: Picture): ArrayBuffer[] {
  const arrays = [...Object.values(picture.boxes), ...Object.values(picture.wires), picture.boxOf];
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))];
}
