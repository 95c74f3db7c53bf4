/** The stage: what draws a picture with Three.js, and knows nothing of React or of networks. */

import type { Item } from "../graph/network";
import type { Picture } from "../layout/picture";

/** Texts on the boxes. */
export interface Caption {
  /** First line: what it is. */
  readonly title: string;
  /** Second line, fainter; may be empty. */
  readonly detail: string;
  /** True for a scope, whose closed box gets a sign that opens it. */
  readonly scope?: boolean;
}

/** Colours of a theme, `0xrrggbb`. */
export interface Colours {
  readonly ground: number;
  readonly text: number;
  readonly faint: number;
  readonly wire: number;
  readonly scopes: readonly number[];
  readonly scopeLine: number;
  readonly accent: number;
}

/**
 * How the boxes look just now. What stays the same object from one call to the next (`fill`,
 * `line`, `mark`, `lit`, `colours`) is not looked at again: only what changed costs time.
 */
export interface Paint {
  /**
   * Fill and line of each box, by index in the picture, `0xrrggbb`. Open scopes lie there as
   * sheets in `colours.scopes` by depth, with a header that is tinted by `fill`.
   */
  readonly fill: (box: number) => number;
  readonly line: (box: number) => number;
  /** Items that stand out; null if all are alike. The rest is dimmed. */
  readonly lit: ReadonlySet<Item> | null;
  readonly selected: Item | null;
  readonly hovered: Item | null;
  /** Mark of a comparison by box: 0 none, 1 added, 2 removed, 3 changed. */
  readonly mark?: (box: number) => 0 | 1 | 2 | 3;
  readonly colours: Colours;
}

/** What one looks at: middle in picture coordinates, and screen pixels per picture pixel. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** What the user does on the canvas. */
export interface StageEvents {
  readonly onHover: (item: Item | null, clientX: number, clientY: number) => void;
  readonly onPick: (item: Item | null, event: PointerEvent) => void;
  /** Double click, or click on the sign of a scope that opens or closes it. */
  readonly onToggle: (item: Item) => void;
  readonly onCamera: (camera: Camera) => void;
  /** The canvas cannot be drawn on, and why; "" when it can again. */
  readonly onTrouble: (text: string) => void;
}

/** Third axis of the 3D mode: depth of nesting, or size of tensors. */
export type Dimension = "2d" | "nesting" | "volume";

/** How a picture is brought on. */
export interface ShowOptions {
  readonly animate: boolean;
  /** An item that stays where it is on the screen. */
  readonly anchor: Item | null;
  /** What is written on a wire (index in the picture) when one looks closely: shape and dtype. */
  readonly wireLabel?: (wire: number) => string;
}

/** A canvas that shows pictures. It draws only when something changed. */
export interface Stage {
  /** The canvas; where there is no WebGL, what stands in for it. */
  readonly element: HTMLElement;
  /**
   * Shows a picture; what was there before moves to its new place. Boxes are numbered anew, so
   * `paint` is to be called right after it.
   */
  readonly show: (picture: Picture, caption: (item: Item) => Caption, options: ShowOptions) => void;
  readonly paint: (paint: Paint) => void;
  /** Changes the third axis; `height` of a box is from 0 to 1 and counts for "volume" only. */
  readonly setDimension: (dimension: Dimension, height: (box: number) => number) => void;
  readonly camera: () => Camera;
  readonly setCamera: (camera: Camera, options: { readonly animate: boolean }) => void;
  /** Brings items into view, all of the picture if none are named. */
  readonly fit: (items: readonly Item[] | null, options: { readonly animate: boolean }) => void;
  /** The item under a point of the page, and where an item is on the page. */
  readonly pick: (clientX: number, clientY: number) => Item | null;
  readonly rectOf: (item: Item) => DOMRect | null;
  /** The canvas as an image, `scale` times as fine as the screen; the view or the whole picture. */
  readonly toPng: (options: { readonly whole: boolean; readonly scale: number }) => Promise<Blob>;
  /** Frames drawn and script time so far, for the benchmark: milliseconds. */
  readonly statistics: () => { frames: number; script: number; calls: number };
  readonly dispose: () => void;
}
