/**
 * Colours that can be told apart with any colour vision, on paper and in the dark.
 *
 * The hues of categories are those of visuai/render/palette.py: Okabe and Ito, "Color Universal
 * Design" (2008). The ramps are viridis (van der Walt and Smith, 2015) and cividis (Nuñez,
 * Anderton and Renslow, 2018), whose brightness rises evenly.
 */

import { CATEGORIES, type Category } from "../graph/network";

/** Light or dark ground. */
export type Ground = "light" | "dark";

/** Fill and line of a box, `0xrrggbb`. */
export interface Tint {
  readonly fill: number;
  readonly line: number;
}

const HUES: Readonly<Record<Category, number>> = {
  io: 0x4d4d4d,
  conv: 0x0072b2,
  linear: 0x56b4e9,
  attention: 0xd55e00,
  recurrent: 0x8f5a9e,
  embedding: 0xcc79a7,
  norm: 0xe8d52c,
  activation: 0xe69f00,
  pool: 0x009e73,
  dropout: 0xb3b3b3,
  arithmetic: 0x7a7a7a,
  reduce: 0x6bbf9f,
  shape: 0xc8c8c8,
  loss: 0xa3231f,
  constant: 0xa08560,
  module: 0x8296b0,
  other: 0x9d9d9d,
};

const GROUNDS = {
  light: { ground: 0xffffff, tint: 0.72, shadeWith: 0x000000, shade: 0.22 },
  dark: { ground: 0x14171b, tint: 0.7, shadeWith: 0xffffff, shade: 0.15 },
} as const;

/** Colours of a ramp from low to high, evenly spaced. */
export type Ramp = readonly number[];

export const RAMPS = {
  viridis: [
    0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b,
    0xfde725,
  ],
  cividis: [
    0x00224e, 0x123570, 0x3b496c, 0x575d6d, 0x707173, 0x8a8678, 0xa59c74, 0xc3b369, 0xe1cc55,
    0xfee838,
  ],
} as const satisfies Record<string, Ramp>;

/** Mixes `share` (0 to 1) of `other` into `colour`. */
export function mix(colour: number, other: number, share: number): number {
  let mixed = 0;
  for (const shift of [16, 8, 0]) {
    const part = ((colour >> shift) & 255) * (1 - share) + ((other >> shift) & 255) * share;
    mixed |= Math.round(part) << shift;
  }
  return mixed;
}

/** The saturated colour of a category, for legends. */
export function hue(category: Category): number {
  return HUES[category];
}

/** Fill and line of each category, in the order of `CATEGORIES`. */
export function categoryTints(ground: Ground): readonly Tint[] {
  const { ground: behind, tint, shadeWith, shade } = GROUNDS[ground];
  return CATEGORIES.map((category) => ({
    fill: mix(HUES[category], behind, tint),
    line: mix(HUES[category], shadeWith, shade),
  }));
}

/** The colour at a place of a ramp, 0 for its low end and 1 for its high end. */
export function rampColour(ramp: Ramp, place: number): number {
  const at = Math.min(Math.max(place, 0), 1) * (ramp.length - 1);
  const low = Math.min(Math.floor(at), ramp.length - 2);
  return mix(ramp[low], ramp[low + 1], at - low);
}

/** Fill and line of a box for a place on a ramp; the line stands off the fill. */
export function rampTint(ramp: Ramp, place: number, ground: Ground): Tint {
  const { ground: behind, shadeWith } = GROUNDS[ground];
  const colour = rampColour(ramp, place);
  return { fill: mix(colour, behind, 0.12), line: mix(colour, shadeWith, 0.35) };
}

/** Fill and line of a box that has nothing of what colours the others. */
export function noneTint(ground: Ground): Tint {
  const { ground: behind } = GROUNDS[ground];
  return { fill: mix(0x8a8f96, behind, 0.86), line: mix(0x8a8f96, behind, 0.4) };
}
