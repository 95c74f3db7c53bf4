/**
 * Lifts the edges of a network to what is visible: links within each open scope, from box to
 * box, or between a box and a port on the scope's border.
 */

import type { Lists } from "../graph/network";
import { pairTable } from "./pairs";
import { grouped, type Survey } from "./survey";
import type { Visible } from "./visible";

/** With more values than this on a border, all but one of them share a port. */
export const MOST_PORTS = 8;

/**
 * Links, one for all values that run between the same two ends. An end is a box (its number) or
 * a port: ports are numbered on from the number of boxes.
 */
export interface Links {
  /** The open box that each link is drawn in, and links by that box. */
  readonly scope: Int32Array;
  readonly byScope: Lists;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly edge: Int32Array;
  readonly values: Int32Array;
  readonly bytes: Float64Array;
  /** The box of each port, and whether values leave by it. */
  readonly portBox: Int32Array;
  readonly portOut: Uint8Array;
}

/** Segments of the ways of values, before those between the same ends are put together. */
interface Segments {
  readonly scope: number[];
  readonly from: number[];
  readonly to: number[];
  /** Values by which the ports at both ends are found, and the value that flows. */
  readonly fromValue: number[];
  readonly toValue: number[];
  readonly edge: number[];
}

/** Lifts all edges; the cost is their number times the levels that they cross. */
export function lift(survey: Survey, shown: Visible): Links {
  return linksOf(survey, shown, segmentsOf(survey, shown));
}

function segmentsOf(survey: Survey, shown: Visible): Segments {
  const { source, target } = survey.outline.edges;
  const { boxOf, image, depth, parent } = shown;
  const found: Segments = { scope: [], from: [], to: [], fromValue: [], toValue: [], edge: [] };
  for (let edge = 0; edge < source.length; edge++) {
    const a = boxOf[source[edge]];
    const b = boxOf[target[edge]];
    if (a < 0 || b < 0) continue;
    if (
      image !== null &&
      (image[source[edge]] !== source[edge] || image[target[edge]] !== target[edge])
    ) {
      throughRun(survey, shown, image, edge, found);
      continue;
    }
    if (a === b) continue;
    const value = survey.value[edge];
    let x = a;
    let y = b;
    while (parent[x] !== parent[y]) {
      if (depth[x] >= depth[y]) {
        push(found, parent[x], x, parent[x], value, value, edge);
        x = parent[x];
      } else {
        push(found, parent[y], parent[y], y, value, value, edge);
        y = parent[y];
      }
    }
    if (x !== y) push(found, parent[x], x, y, value, value, edge);
  }
  return found;
}

/**
 * An edge with an end in a folded sibling. If both ends are in the same sibling, the first one's
 * own edge shows it. If they are in two siblings of one run, it shows as the value leaving.
 */
function throughRun(
  survey: Survey,
  shown: Visible,
  image: Int32Array,
  edge: number,
  found: Segments,
): void {
  const { outline, enter, size, value } = survey;
  const { boxOf, parent } = shown;
  const source = outline.edges.source[edge];
  const target = outline.edges.target[edge];
  let below = source;
  let around = outline.parent[source];
  while (
    around >= 0 &&
    !(enter[around] <= enter[target] && enter[target] < enter[around] + size[around])
  ) {
    below = around;
    around = outline.parent[around];
  }
  let other = target;
  while (outline.parent[other] !== around) other = outline.parent[other];
  if (around < 0 || image[around] !== around || boxOf[around] < 0) return;
  const from = boxOf[image[below]];
  const to = boxOf[image[other]];
  const scope = boxOf[around];
  if (parent[from] !== scope || parent[to] !== scope) return;
  const leaving = likeValue(survey, image, edge);
  for (let x = boxOf[source]; x !== from; x = parent[x]) {
    push(found, parent[x], x, parent[x], leaving, leaving, edge);
  }
  if (from === to) return;
  const first = image[target] === target;
  const entering = first ? value[edge] : likeEntering(survey, image, edge);
  push(found, scope, from, to, leaving, entering, edge);
  if (!first) return;
  for (let y = boxOf[target]; y !== to; y = parent[y]) {
    push(found, parent[y], parent[y], y, entering, entering, edge);
  }
}

/** The value that the counterpart of an edge's source gives. */
function likeValue(survey: Survey, image: Int32Array, edge: number): number {
  const { outline, value, firstValue, outputOf } = survey;
  const source = outline.edges.source[edge];
  const like = image[source];
  if (like === source || like >= outline.nodes) return value[edge];
  for (let found = firstValue[like]; found < firstValue[like + 1]; found++) {
    if (outputOf[found] === outline.edges.output[edge]) return found;
  }
  return value[edge];
}

/** The value that enters the counterpart of an edge's target by the same input. */
function likeEntering(survey: Survey, image: Int32Array, edge: number): number {
  const { outline, value, incoming } = survey;
  const like = image[outline.edges.target[edge]];
  if (like >= outline.nodes) return value[edge];
  for (let at = incoming.start[like]; at < incoming.start[like + 1]; at++) {
    const found = incoming.values[at];
    if (outline.edges.input[found] === outline.edges.input[edge]) return value[found];
  }
  return value[edge];
}

function push(
  found: Segments,
  scope: number,
  from: number,
  to: number,
  fromValue: number,
  toValue: number,
  edge: number,
): void {
  found.scope.push(scope);
  found.from.push(from);
  found.to.push(to);
  found.fromValue.push(fromValue);
  found.toValue.push(toValue);
  found.edge.push(edge);
}

/** Puts segments between the same two ends together. */
function linksOf(survey: Survey, shown: Visible, segments: Segments): Links {
  const ports = portsOf(shown, segments);
  const { spec } = survey.outline.edges;
  const pairs = pairTable(segments.edge.length);
  const carried = pairTable(segments.edge.length);
  const scope: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  const edges: number[] = [];
  const values: number[] = [];
  const bytes: number[] = [];
  for (let at = 0; at < segments.edge.length; at++) {
    const edge = segments.edge[at];
    const within = segments.scope[at];
    const a = ports.end(segments.from[at], segments.from[at] !== within, segments.fromValue[at]);
    const b = ports.end(segments.to[at], segments.to[at] === within, segments.toValue[at]);
    const link = pairs.add(a, b);
    if (link === from.length) {
      scope.push(within);
      from.push(a);
      to.push(b);
      edges.push(edge);
      values.push(0);
      bytes.push(0);
    }
    const before = carried.count();
    if (carried.add(link, survey.value[edge]) < before) continue;
    values[link]++;
    if (spec[edge] >= 0) bytes[link] += survey.outline.specBytes[spec[edge]];
  }
  return {
    scope: Int32Array.from(scope),
    byScope: grouped(scope, shown.item.length),
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    edge: Int32Array.from(edges),
    values: Int32Array.from(values),
    bytes: Float64Array.from(bytes),
    portBox: Int32Array.from(ports.box),
    portOut: Uint8Array.from(ports.out),
  };
}

/** Makes the ports: one for each value on a border, or two if there are too many. */
function portsOf(shown: Visible, segments: Segments) {
  const count = shown.item.length;
  // A side is a box's border where values enter (even) or leave (odd).
  const many = new Int32Array(count * 2);
  const known = pairTable(1024);
  const side: number[] = [];
  const value: number[] = [];
  for (let at = 0; at < segments.edge.length; at++) {
    const within = segments.scope[at];
    const enters = segments.from[at] === within;
    if (!enters && segments.to[at] !== within) continue;
    const border = within * 2 + (enters ? 0 : 1);
    const through = enters ? segments.fromValue[at] : segments.toValue[at];
    if (known.add(border, through) < side.length) continue;
    side.push(border);
    value.push(through);
    many[border]++;
  }
  // The value made last is mostly the one that goes on from box to box: it comes first, alone.
  const newest = Int32Array.from(value, (_, at) => at).sort((a, b) => value[b] - value[a] || a - b);
  const box: number[] = [];
  const out: number[] = [];
  const firstOf = new Int32Array(count * 2).fill(-1);
  const bundleOf = new Int32Array(count * 2).fill(-1);
  const port = new Int32Array(side.length);
  for (const at of newest) {
    const border = side[at];
    let number = bundleOf[border];
    if (number < 0) {
      number = count + box.length;
      box.push(border >> 1);
      out.push(border & 1);
      if (firstOf[border] < 0) firstOf[border] = number;
      else if (many[border] > MOST_PORTS) bundleOf[border] = number;
    }
    port[at] = number;
  }
  /** The end that a value has at a box: a port if the box is open, else the box. */
  const end = (at: number, leaves: boolean, through: number): number => {
    if (shown.open[at] === 0) return at;
    const border = at * 2 + (leaves ? 1 : 0);
    const found = known.find(border, through);
    if (found >= 0) return port[found];
    return firstOf[border] >= 0 ? firstOf[border] : at;
  };
  return { box, out, end };
}
