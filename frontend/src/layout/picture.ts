/**
 * What layout gives and the scene draws: boxes and wires in flat arrays that move between
 * worker and page without being copied.
 *
 * Units are pixels at zoom 1; x to the right, y down; the root's content starts at (0, 0).
 * Coordinates are float64, since an open network of 100,000 nodes is millions of pixels tall.
 */

import type { Item, Lists, Network } from "../graph/network";

/** What layout needs to know about a network; all of it can be posted to a worker. */
export interface Outline {
  readonly nodes: number;
  readonly scopes: number;
  readonly parent: Int32Array;
  readonly children: Lists;
  readonly repeat: Int32Array;
  readonly edges: Network["edges"];
  /** Bytes of each spec. */
  readonly specBytes: Float64Array;
  /** Size of each item's box while it is closed. */
  readonly width: Float32Array;
  readonly height: Float32Array;
}

/** Which scopes are open, and which runs of identical siblings are shown one by one. */
export interface Opening {
  /** Open scopes, as items; a scope is seen only if all around it are open. */
  readonly open: ReadonlySet<Item>;
  /** First scopes (as items) of runs that are unfolded; other runs show as one box, ×N. */
  readonly unfolded: ReadonlySet<Item>;
  /** Width over height that wrapping of long chains aims at. */
  readonly aspect: number;
}

/** Boxes of what is visible in preorder: an open scope, then all that is in it, then the next. */
export interface Boxes {
  readonly item: Int32Array;
  /** Left top corner and size. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly width: Float32Array;
  readonly height: Float32Array;
  /** Levels below the root. */
  readonly depth: Int32Array;
  /** 1 for an open scope. */
  readonly open: Uint8Array;
  /** How many identical siblings this box stands for; 1 for most. */
  readonly repeat: Int32Array;
}

/**
 * Drawn edges. A wire runs between two boxes of one open scope, or between a box and the border
 * (a port) of the scope it is in: a value that crosses borders is a chain of wires.
 */
export interface Wires {
  /** The visible items that a wire leads from and to; for a port, the scope itself. */
  readonly source: Int32Array;
  readonly target: Int32Array;
  /** One edge of the network (number) that it stands for; the first by number. */
  readonly edge: Int32Array;
  /** How many distinct values it carries. */
  readonly values: Int32Array;
  /** Size of what flows, in bytes, 0 if not known. */
  readonly bytes: Float64Array;
  /**
   * Points of wire `i`: `x[start[i]] … x[start[i + 1] - 1]`. Each stretch between two of them
   * leaves and arrives vertically: the cubic Bézier curve whose control points lie at half
   * height, `C x0 (y0+y1)/2, x1 (y0+y1)/2, x1 y1`. So it is straight where `x0 = x1` or
   * `y0 = y1`, and stretches join smoothly.
   */
  readonly start: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Everything that stands on the canvas. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: Boxes;
  readonly wires: Wires;
  /** Box (index into `boxes`) of each item that is visible, -1 for the others. */
  readonly boxOf: Int32Array;
}

/** Header of an open scope, where its name stands, in pixels. */
export const HEADER = 26;

/** Lays out networks, off the main thread where it can; a newer request overtakes an older one. */
export interface LayoutService {
  /** Rejects with `Overtaken` when a newer request came in before this one was done. */
  readonly layOut: (opening: Opening) => Promise<Picture>;
  readonly dispose: () => void;
}
