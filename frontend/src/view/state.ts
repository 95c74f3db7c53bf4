/** The state of the viewer: plain data that everything on the page follows from. */

import type { Item, Quantity } from "../graph/network";
import type { Camera, Dimension } from "../scene/stage";

/** What colours the boxes. */
export type ColourBy = "category" | Quantity;

/** All of them, in the order of a choice. */
export const COLOURS: readonly ColourBy[] = [
  "category",
  "parameters",
  "flops",
  "activation_bytes",
  "calls",
  "nodes",
];

/** All ways to draw, in the order of a choice. */
export const DIMENSIONS: readonly Dimension[] = ["2d", "nesting", "volume"];

/** Which way a trace goes from an item. */
export type Direction = "upstream" | "downstream" | "both";

/** What is lit while the rest is dimmed. */
export type Trace =
  | { readonly kind: Direction; readonly from: Item }
  | { readonly kind: "path"; readonly from: Item; readonly to: Item };

/** How two networks are compared. */
export type CompareMode = "merged" | "side-by-side";

/** Light or dark; auto follows the page around the viewer, or the system. */
export type Theme = "auto" | "light" | "dark";

/** Everything that back and forward, and a link, restore. */
export interface Place {
  /** Open scopes, the root always among them. */
  readonly open: ReadonlySet<Item>;
  /** First scopes of the runs that are shown one by one. */
  readonly unfolded: ReadonlySet<Item>;
  readonly selected: Item | null;
  readonly trace: Trace | null;
  readonly colourBy: ColourBy;
  readonly dimension: Dimension;
}

/** A place that one has been to, and from where it was seen; null if nobody knows. */
export interface Stop extends Place {
  readonly camera: Camera | null;
}

/** Where the camera is to go: a new object for each flight. */
export interface Flight {
  /** Items to bring into view; null for the whole picture. */
  readonly items: readonly Item[] | null;
  /** Where exactly, if a place is returned to. */
  readonly camera?: Camera | null;
}

/** The place, and what is not part of history. */
export interface State extends Place {
  readonly hovered: Item | null;
  readonly query: string;
  /** What the search found; null if nothing is searched for. */
  readonly found: ReadonlySet<Item> | null;
  readonly compare: CompareMode;
  /** Where a path starts while its end is still to be picked. */
  readonly pathFrom: Item | null;
  readonly flight: Flight | null;
  /** The item that last opened or closed: it stays where it is on the screen. */
  readonly anchor: Item | null;
  /** What happened last, for screen readers. */
  readonly message: string;
  readonly past: readonly Stop[];
  readonly future: readonly Stop[];
  /** Which place this is on the way that history is: each new one is one further. */
  readonly at: number;
  /** How often a place was left for a new one. */
  readonly steps: number;
  /** Whether the last step went from box to box: the next such one belongs to the same step. */
  readonly walking: boolean;
}
