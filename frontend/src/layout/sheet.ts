/** The layout of one open scope: what goes in, and what comes out. */

/**
 * What is in a scope, laid out as one sheet. Vertices are numbered: first the ports where values
 * enter, then the boxes in execution order, then the ports where values leave.
 */
export interface Task {
  readonly inPorts: number;
  readonly boxes: number;
  readonly outPorts: number;
  /** Size of each box, and how far from its left the main wire enters and leaves. */
  readonly width: Float64Array;
  readonly height: Float64Array;
  readonly inAxis: Float64Array;
  readonly outAxis: Float64Array;
  /** Links between vertices, and how far from the box's left their ends are; NaN where free. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly fromAt: Float64Array;
  readonly toAt: Float64Array;
  /** Room at the top for the scope's name, and at its sides. */
  readonly header: number;
  readonly pad: number;
  /** Least width, and width over height that is aimed at. */
  readonly least: number;
  readonly aspect: number;
  /** Height that makes a column: what is not twice as tall is not broken into columns. */
  readonly tall: number;
}

/** A scope laid out; its left top corner is (0, 0). */
export interface Sheet {
  readonly width: number;
  readonly height: number;
  /** Left top corner of each box, by its number among the boxes. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Where on the top and bottom border values enter and leave. */
  readonly inPort: Float64Array;
  readonly outPort: Float64Array;
  /** Where the main wire enters and leaves. */
  readonly inAxis: number;
  readonly outAxis: number;
  /** Points of the wire of each link. */
  readonly start: Int32Array;
  readonly px: Float64Array;
  readonly py: Float64Array;
}

/** Least space between a box and what is below it: wires bend there. */
export const GAP = 26;
/** Space between boxes side by side, and between wires side by side. */
export const BESIDE = 18;
export const TRACK = 12;
