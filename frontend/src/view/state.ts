/** The state of the viewer: plain data that everything on the page follows from. */

import type { Item, Quantity } from "../graph/network";
import type { Dimension } from "../scene/stage";

/** What colours the boxes. */
export type ColourBy = "category" | Quantity;

/** What is lit while the rest is dimmed. */
export type Trace =
  | { readonly kind: "upstream" | "downstream" | "both"; readonly from: Item }
  | { readonly kind: "path"; readonly from: Item; readonly to: Item };

/** How two networks are compared. */
export type CompareMode = "merged" | "side-by-side";

/** Everything that back and forward, and a link, restore. */
export interface Place {
  readonly open: ReadonlySet<Item>;
  readonly unfolded: ReadonlySet<Item>;
  readonly selected: Item | null;
  readonly trace: Trace | null;
  readonly colourBy: ColourBy;
  readonly dimension: Dimension;
}

/** Where an action takes one; the rest of the viewer (search text, panels) is not history. */
export interface State extends Place {
  readonly hovered: Item | null;
  readonly query: string;
  readonly theme: "auto" | "light" | "dark";
  readonly compare: CompareMode;
  readonly past: readonly Place[];
  readonly future: readonly Place[];
}
