/** Two networks and what differs: for the picture, the list, and the step between two canvases. */

import type { Item } from "../graph/network";

/** One difference, as the list shows it. */
export interface Difference {
  readonly kind: "added" | "removed" | "renamed" | "changed";
  readonly what: string;
  /** Names before and after; null where there is none. */
  readonly before: string | null;
  readonly after: string | null;
  /** Where it is in the picture; null if it has no place there. */
  readonly item: Item | null;
  readonly details: readonly (readonly [name: string, before: string, after: string])[];
}

/** What the page knows of a comparison. */
export interface Comparison {
  readonly names: readonly [string, string];
  readonly differences: readonly Difference[];
  /** Mark of each item of the network that is shown: 0 none, 1 added, 2 removed, 3 changed. */
  readonly marks: ArrayLike<number> | null;
}
