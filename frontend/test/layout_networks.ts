/** Random networks of nested scopes, and what should be drawn of them, found in a plain way. */

import fc from "fast-check";
import type { Opening, Outline } from "../src/layout/picture";

interface Plan {
  readonly sizes: readonly number[];
  readonly edges: readonly (readonly [number, number, number])[];
  /** A node that leads to all of a range, and those on to another. */
  readonly fans: readonly (readonly [number, number, number, number])[];
  readonly widths: readonly number[];
  readonly runs: readonly boolean[];
}

/** Random outlines: nodes in nested scopes in order of execution, edges that lead onward. */
export function networks(most = 40): fc.Arbitrary<Outline> {
  const plan: fc.Arbitrary<Plan> = fc.record({
    // How each next node moves in the tree: up to two scopes closed, up to two opened.
    sizes: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: most, size: "max" }),
    edges: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(2)), { maxLength: most * 2, size: "max" }),
    fans: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(20), fc.nat()), { maxLength: 2 }),
    widths: fc.array(fc.integer({ min: 20, max: 300 }), { minLength: 8, maxLength: 8 }),
    runs: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  });
  return plan.map(build);
}

function build(plan: Plan): Outline {
  const nodes = plan.sizes.length;
  const parents: number[] = [];
  const scopeParents: number[] = [-1];
  const children: number[][] = [[]];
  let here = 0;
  for (let node = 0; node < nodes; node++) {
    const close = plan.sizes[node] % 3;
    const open = Math.floor(plan.sizes[node] / 3);
    for (let at = 0; at < close && here > 0; at++) here = scopeParents[here];
    for (let at = 0; at < open; at++) {
      scopeParents.push(here);
      children.push([]);
      children[here].push(nodes + scopeParents.length - 1);
      here = scopeParents.length - 1;
    }
    parents.push(nodes + here);
    children[here].push(node);
  }
  const scopes = scopeParents.length;
  const parent = Int32Array.from([
    ...parents,
    ...scopeParents.map((at) => (at < 0 ? -1 : nodes + at)),
  ]);
  const fans = plan.fans.flatMap(([from, first, many, to]) =>
    Array.from({ length: many }, (_, at): [number, number, number][] => [
      [from, first + at, 0],
      [first + at, to, 0],
    ]).flat(),
  );
  const pairs = [...plan.edges, ...fans].map(([a, b, output]) => {
    const one = a % nodes;
    const other = b % nodes;
    return { source: Math.min(one, other), target: Math.max(one, other), output };
  });
  const edges = pairs.filter(({ source, target }) => source !== target);
  const inputs = new Map<number, number>();
  const input = edges.map(({ target }) => {
    const next = inputs.get(target) ?? 0;
    inputs.set(target, next + 1);
    return next;
  });
  const start = [0];
  for (const list of children) start.push(start[start.length - 1] + list.length);
  const items = nodes + scopes;
  return {
    nodes,
    scopes,
    parent,
    children: { start: Int32Array.from(start), values: Int32Array.from(children.flat()) },
    repeat: runsOf(plan, nodes, children),
    edges: {
      source: Int32Array.from(edges, (edge) => edge.source),
      target: Int32Array.from(edges, (edge) => edge.target),
      output: Int32Array.from(edges, (edge) => edge.output),
      input: Int32Array.from(input),
      spec: Int32Array.from(edges, (_, at) => (at % 3) - 1),
    },
    specBytes: Float64Array.of(100, 4000),
    width: Float32Array.from({ length: items }, (_, at) => plan.widths[at % 8]),
    height: Float32Array.from({ length: items }, (_, at) => 24 + (plan.widths[(at * 3) % 8] % 40)),
  };
}

/** Marks some neighbouring scopes with the same shape inside as a run. */
function runsOf(plan: Plan, nodes: number, children: readonly number[][]): Int32Array {
  const repeat = new Int32Array(children.length).fill(1);
  const shape = (scope: number): string =>
    `(${children[scope].map((child) => (child < nodes ? "n" : shape(child - nodes))).join("")})`;
  children.forEach((list, scope) => {
    if (!plan.runs[scope % 6]) return;
    let first = -1;
    for (const child of list) {
      if (child < nodes) {
        first = -1;
        continue;
      }
      const here = child - nodes;
      if (first >= 0 && shape(first) === shape(here)) {
        repeat[first]++;
        repeat[here] = 0;
      } else first = here;
    }
  });
  return repeat;
}

/** Random openings of an outline. */
export function openings(outline: Outline): fc.Arbitrary<Opening> {
  const scopes = Array.from({ length: outline.scopes }, (_, at) => outline.nodes + at);
  return fc
    .record({
      shut: fc.subarray(scopes.slice(1)),
      all: fc.boolean(),
      unfolded: fc.subarray(scopes.filter((scope) => outline.repeat[scope - outline.nodes] > 1)),
      aspect: fc.constantFrom(0.6, 1.6),
    })
    .map(({ shut, all, unfolded, aspect }) => ({
      open: new Set(scopes.filter((scope) => all || !shut.includes(scope))),
      unfolded: new Set(unfolded),
      aspect,
    }));
}

/** The ways of all edges as `from>to`, by lists of the scopes around both ends. */
export function checkedLinks(outline: Outline, opening: Opening): Set<string> {
  const found = new Set<string>();
  const { source, target } = outline.edges;
  source.forEach((from, edge) => {
    const a = pathOf(outline, opening, from);
    const b = pathOf(outline, opening, target[edge]);
    let common = 0;
    const alike = (at: number) => a.true[at] === b.true[at];
    while (common < a.true.length && common < b.true.length && alike(common)) common++;
    // Wholly in a sibling that a folded run hides: the first of the run shows the same.
    if (common > 0 && a.hidden[common - 1]) return;
    const [up, down] = [a.shown, b.shown];
    if (up[common - 1] !== undefined && up.length <= common && down.length <= common) return;
    for (let at = up.length - 1; at > common; at--) found.add(`${up[at]}>${up[at - 1]}`);
    if (up.length <= common || down.length <= common) return;
    if (up[common] === down[common]) return;
    found.add(`${up[common]}>${down[common]}`);
    if (b.hidden[b.hidden.length - 1]) return;
    for (let at = common + 1; at < down.length; at++) found.add(`${down[at - 1]}>${down[at]}`);
  });
  return found;
}

/** From the root down to a node: the items as they are, and those that show them. */
function pathOf(outline: Outline, opening: Opening, node: number) {
  const path: number[] = [];
  for (let at = node; at >= 0; at = outline.parent[at]) path.unshift(at);
  const shown: number[] = [];
  const hidden: boolean[] = [];
  let like = path[0];
  let isHidden = false;
  let closed = false;
  path.forEach((item, level) => {
    if (level > 0) {
      // The same place among the children of what shows the scope around.
      const around = childrenOf(outline, path[level - 1]).indexOf(item);
      like = childrenOf(outline, like)[around];
      // What lies in a closed scope is not folded: the scope shows all of it.
      const first = closed ? like : firstOf(outline, opening, like);
      if (first !== like) {
        isHidden = true;
        like = first;
      }
    }
    hidden.push(isHidden);
    if (!closed) shown.push(like);
    if (like >= outline.nodes && level > 0 && !opening.open.has(like)) closed = true;
  });
  return { true: path, shown, hidden };
}

function childrenOf(outline: Outline, scope: number): number[] {
  const { start, values } = outline.children;
  return [...values.subarray(start[scope - outline.nodes], start[scope - outline.nodes + 1])];
}

function firstOf(outline: Outline, opening: Opening, item: number): number {
  if (item < outline.nodes || outline.repeat[item - outline.nodes] !== 0) return item;
  const siblings = childrenOf(outline, outline.parent[item]);
  for (let at = siblings.indexOf(item) - 1; at >= 0; at--) {
    const repeat = siblings[at] < outline.nodes ? 1 : outline.repeat[siblings[at] - outline.nodes];
    if (repeat > 1) return opening.unfolded.has(siblings[at]) ? item : siblings[at];
  }
  return item;
}

/** An outline of nodes that are all in the root, each `width` wide. */
export function flat(nodes: number, edges: readonly (readonly [number, number])[], width = 90) {
  return nested(nodes, new Array(nodes).fill(0), [-1], edges, width);
}

/** An outline by the scope of each node and of each scope; nodes come before scopes inside. */
export function nested(
  nodes: number,
  scopeOf: readonly number[],
  scopeParents: readonly number[],
  edges: readonly (readonly [number, number])[],
  width = 90,
): Outline {
  const scopes = scopeParents.length;
  const children: number[][] = scopeParents.map(() => []);
  scopeOf.forEach((scope, node) => {
    children[scope].push(node);
  });
  scopeParents.forEach((scope, at) => {
    if (scope >= 0) children[scope].push(nodes + at);
  });
  const start = [0];
  for (const list of children) start.push(start[start.length - 1] + list.length);
  const values = new Int32Array(start[start.length - 1]);
  children.forEach((list, scope) => {
    values.set(list, start[scope]);
  });
  return {
    nodes,
    scopes,
    parent: Int32Array.from([...scopeOf, ...scopeParents], (scope) =>
      scope < 0 ? -1 : nodes + scope,
    ),
    children: { start: Int32Array.from(start), values },
    repeat: new Int32Array(scopes).fill(1),
    edges: {
      source: Int32Array.from(edges, ([from]) => from),
      target: Int32Array.from(edges, ([, to]) => to),
      output: new Int32Array(edges.length),
      input: Int32Array.from(edges, (_, at) => at),
      spec: new Int32Array(edges.length).fill(-1),
    },
    specBytes: new Float64Array(0),
    width: new Float32Array(nodes + scopes).fill(width),
    height: new Float32Array(nodes + scopes).fill(36),
  };
}
