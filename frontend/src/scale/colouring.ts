/** What colour each item has, and the legend that tells what it means. */

import {
  CATEGORIES,
  type Category,
  type Item,
  type Network,
  type Quantity,
} from "../graph/network";
import { bytes, count, flops } from "../graph/text";
import { numberScale } from "./numbers";
import {
  categoryTints,
  type Ground,
  hue,
  noneTint,
  RAMPS,
  type Ramp,
  rampTint,
  type Tint,
} from "./palette";
import type { LegendTick } from "./ticks";

/** One category that is there. */
export interface LegendEntry extends Tint {
  readonly category: Category;
  /** `convolutions`. */
  readonly label: string;
  readonly hue: number;
  /** Number of nodes in it. */
  readonly nodes: number;
}

/** What the colours mean. */
export type Legend =
  | { readonly kind: "category"; readonly entries: readonly LegendEntry[] }
  | {
      readonly kind: "number";
      /** `Parameters`. */
      readonly title: string;
      readonly log: boolean;
      /** Colours from low to high, evenly spaced. */
      readonly stops: readonly number[];
      /** Places from 0 to 1 with what is written there. */
      readonly ticks: readonly LegendTick[];
      /** Smallest and largest, written out. */
      readonly low: string;
      readonly high: string;
      /** Fill of boxes that have none of it. */
      readonly none: number;
      /** Fill of boxes whose number is not finite; null if there are none. */
      readonly broken: number | null;
    };

/** Colours of items. */
export interface Colouring {
  readonly fill: (item: Item) => number;
  readonly line: (item: Item) => number;
  readonly legend: Legend;
}

const LABELS: Readonly<Record<Category, string>> = {
  io: "inputs and outputs",
  conv: "convolutions",
  linear: "matrix products",
  attention: "attention",
  recurrent: "recurrent",
  embedding: "look-ups",
  norm: "normalisation",
  activation: "non-linearities",
  pool: "pooling, resampling",
  dropout: "dropout, noise",
  arithmetic: "arithmetic",
  reduce: "reductions",
  shape: "reshaping, joining",
  loss: "losses",
  constant: "tensors read",
  module: "modules",
  other: "other",
};

/** Name and spelling of each quantity. */
export const QUANTITIES: Readonly<
  Record<Quantity, { readonly title: string; readonly spell: (value: number) => string }>
> = {
  parameters: { title: "Parameters", spell: count },
  flops: { title: "FLOPs", spell: flops },
  activation_bytes: { title: "Activations", spell: bytes },
  calls: { title: "Calls", spell: count },
  nodes: { title: "Ops", spell: count },
};

/** Colours items by the category of their op. */
export function colourByCategory(network: Network, ground: Ground): Colouring {
  const tints = categoryTints(ground);
  const { category, nodes } = network;
  const there = new Int32Array(CATEGORIES.length);
  for (let item = 0; item < nodes; item++) there[category[item]]++;
  const isModule = CATEGORIES.indexOf("module");
  const entries = CATEGORIES.flatMap((name, at) =>
    there[at] > 0 || (at === isModule && network.scopes > 1)
      ? [{ category: name, label: LABELS[name], hue: hue(name), nodes: there[at], ...tints[at] }]
      : [],
  );
  return {
    fill: (item) => tints[category[item]].fill,
    line: (item) => tints[category[item]].line,
    legend: { kind: "category", entries },
  };
}

/**
 * Colours items by a number.
 *
 * @param among - Items whose numbers the scale spans; all but the root by default.
 */
export function colourByQuantity(
  network: Network,
  quantity: Quantity,
  ground: Ground,
  among?: Iterable<Item>,
  ramp: Ramp = RAMPS.viridis,
): Colouring {
  const values = network.quantities[quantity];
  const scale = numberScale(spanned(network, values, among));
  const { title, spell } = QUANTITIES[quantity];
  const none = noneTint(ground);
  const tints: Tint[] = [];
  for (let step = 0; step < STEPS; step++) tints.push(rampTint(ramp, step / (STEPS - 1), ground));
  const tint = (item: Item): Tint => {
    const place = values[item] > 0 ? scale.place(values[item]) : null;
    return place === null ? none : tints[Math.round(place * (STEPS - 1))];
  };
  return {
    fill: (item) => tint(item).fill,
    line: (item) => tint(item).line,
    legend: {
      kind: "number",
      title,
      log: scale.log,
      stops: tints.map(({ fill }) => fill),
      ticks: scale.ticks.map(({ value, place }) => ({ place, text: spell(value) })),
      low: spell(scale.low),
      high: spell(scale.high),
      none: none.fill,
      broken: null,
    },
  };
}

const STEPS = 64; // Finer than the eye tells, and few enough to mix once.

function* spanned(network: Network, values: Float64Array, among?: Iterable<Item>) {
  if (among === undefined) {
    for (let item = 0; item < values.length; item++) if (item !== network.root) yield values[item];
  } else {
    for (const item of among) yield values[item];
  }
}
