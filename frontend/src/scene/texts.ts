/** The texts of a picture, made safe to draw and cut to the room they have. */

import type { Item } from "../graph/network";
import type { Atlas } from "./atlas";
import type { Caption } from "./stage";

/** Longest text that is looked at: names can be anything. */
const LONGEST = 120;

/** Texts of one picture, and how they are cut to their room. */
export interface Texts {
  readonly caption: (item: Item) => Caption;
  readonly wireLabel: (wire: number) => string;
  /** Whether a text has room. */
  readonly has: (text: string, size: number, bold: boolean, room: number) => boolean;
  /** The largest size up to `size` in which a text has room; `size` if it would be less than `least`. */
  readonly fit: (text: string, size: number, bold: boolean, room: number, least: number) => number;
  /** As many of the parts between dots as have room, from the first on. */
  readonly whole: (text: string, size: number, room: number) => string;
  /** The longest beginning of a text that has room. */
  readonly cut: (text: string, size: number, bold: boolean, room: number) => string;
}

/** Makes the texts of a picture; captions are asked for once, when first seen. */
export function makeTexts(
  atlas: Atlas,
  caption: (item: Item) => Caption,
  wireLabel: ((wire: number) => string) | undefined,
): Texts {
  const captions = new Map<Item, Caption>();
  const wires = new Map<number, string>();
  const cuts = new Map<string, string>();
  return {
    caption: (item) => {
      let known = captions.get(item);
      if (known === undefined) {
        const { title, detail, scope } = caption(item);
        known = { title: tidy(title), detail: tidy(detail), scope };
        captions.set(item, known);
      }
      return known;
    },
    wireLabel: (wire) => {
      let known = wires.get(wire);
      if (known === undefined) {
        known = tidy(wireLabel?.(wire) ?? "");
        wires.set(wire, known);
      }
      return known;
    },
    has: (text, size, bold, room) => atlas.measure(text, size, bold) <= room,
    fit: (text, size, bold, room, least) => {
      const largest = Math.min(Math.max(size, 6), 72);
      const wide = atlas.measure(text, largest, bold);
      if (wide <= room) return largest;
      const fits = Math.floor((largest * room) / wide);
      return fits >= least ? fits : largest;
    },
    whole: (text, size, room) => {
      const parts = text.split(" · ");
      while (parts.length > 0 && atlas.measure(parts.join(" · "), size, false) > room) parts.pop();
      return parts.join(" · ");
    },
    cut: (text, size, bold, room) => {
      if (atlas.measure(text, size, bold) <= room) return text;
      // Rooms are rounded, so that zooming does not measure a text over and over.
      const key = `${Math.floor((room / size) * 4)} ${text}`;
      let known = cuts.get(key);
      if (known === undefined) {
        const letters = [...text];
        let low = 0;
        let high = letters.length;
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          const shorter = `${letters.slice(0, middle).join("").trimEnd()}…`;
          if (atlas.measure(shorter, size, bold) <= room) low = middle;
          else high = middle - 1;
        }
        known = low < 2 ? "" : `${letters.slice(0, low).join("").trimEnd()}…`;
        if (cuts.size > 20_000) cuts.clear();
        cuts.set(key, known);
      }
      return known;
    },
  };
}

/** One line without control characters, and not endless. */
function tidy(text: string): string {
  const short = text.length > LONGEST ? `${[...text.slice(0, LONGEST)].join("")}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  return short.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, " ");
}
