/** One network made of two, once every item has its place. */

import { assemble } from "./assemble";
import type { Edges, Facts, Item, Network, Quantity, Value } from "./network";
import type { Pairs, Places } from "./places";

/** Edges of both networks, and by edge 1 for those that only the second has, 2 the first. */
export function mergeEdges(
  before: Network,
  after: Network,
  { forward, backward }: Pairs,
  { fromBefore, fromAfter }: Places,
): { edges: Edges; marks: Uint8Array } {
  const rows: number[][] = []; // source, target, output, input, spec, mark
  const key = (source: Item, output: number, target: Item, input: number): string =>
    `${source}:${output}>${target}:${input}`;
  const old = new Set<string>();
  const kept = new Set<string>();
  const { edges: a } = before;
  const { edges: b } = after;
  for (let edge = 0; edge < a.source.length; edge++) {
    const source = forward[a.source[edge]];
    const target = forward[a.target[edge]];
    if (source >= 0 && target >= 0) old.add(key(source, a.output[edge], target, a.input[edge]));
  }
  for (let edge = 0; edge < b.source.length; edge++) {
    const [source, target] = [b.source[edge], b.target[edge]];
    const known = backward[source] >= 0 && backward[target] >= 0;
    const name = known ? key(source, b.output[edge], target, b.input[edge]) : "";
    if (known) kept.add(name);
    const mark = known && old.has(name) ? 0 : 1;
    rows.push([
      fromAfter[source],
      fromAfter[target],
      b.output[edge],
      b.input[edge],
      b.spec[edge],
      mark,
    ]);
  }
  for (let edge = 0; edge < a.source.length; edge++) {
    const source = forward[a.source[edge]];
    const target = forward[a.target[edge]];
    const stays =
      source >= 0 && target >= 0 && kept.has(key(source, a.output[edge], target, a.input[edge]));
    if (stays) continue;
    const spec = a.spec[edge] < 0 ? -1 : a.spec[edge] + after.specs.length;
    const ends = [fromBefore[a.source[edge]], fromBefore[a.target[edge]]];
    rows.push([...ends, a.output[edge], a.input[edge], spec, 2]);
  }
  const column = (at: number): Int32Array => Int32Array.from(rows, (row) => row[at]);
  return {
    edges: {
      source: column(0),
      target: column(1),
      output: column(2),
      input: column(3),
      spec: column(4),
    },
    marks: Uint8Array.from(rows, (row) => row[5]),
  };
}

/** Puts both networks together: of what matches, the second is told of. */
export function mergeParts(
  before: Network,
  after: Network,
  places: Places,
  edges: Edges,
  marks: Uint8Array,
): Network {
  const { nodes, scopes, inBefore, inAfter, fromBefore, fromAfter, parent, children } = places;
  const count = nodes + scopes;
  const pick = <T>(item: Item, of: (network: Network, item: Item) => T): T =>
    inAfter[item] >= 0 ? of(after, inAfter[item]) : of(before, inBefore[item]);
  const quantity = (name: Quantity): Float64Array =>
    Float64Array.from({ length: count }, (_, item) =>
      pick(item, (network, own) => network.quantities[name][own]),
    );
  const returns = Int32Array.from({ length: nodes }, (_, node) => {
    const spec = pick(node, (network, own) => network.gives[own]);
    return spec >= 0 && inAfter[node] < 0 ? spec + after.specs.length : spec;
  });
  const repeat = Int32Array.from({ length: scopes }, (_, scope) =>
    pick(nodes + scope, (network, own) => network.repeat[own - network.nodes]),
  );
  const word = (name: "opKind" | "type" | "fqn" | "settings") => (item: Item) =>
    pick(item, (network, own) => network.words[name](own));
  const ends = (network: Network, places: Int32Array, of: "inputs" | "outputs"): Item[] =>
    network[of].map((item) => places[item]);
  const both = (of: "inputs" | "outputs"): Item[] => [
    ...new Set([...ends(after, fromAfter, of), ...ends(before, fromBefore, of)]),
  ];
  const ids = Array.from({ length: count }, (_, item) =>
    pick(item, (network, own) => network.ids[own]),
  );
  return assemble(
    {
      name: before.name === after.name ? after.name : `${before.name} → ${after.name}`,
      nodes,
      scopes,
      parent,
      children,
      edges,
      specs: [...after.specs, ...before.specs],
      returns,
      repeat: withoutMarked(repeat, marks, places),
      category: Uint8Array.from({ length: count }, (_, item) =>
        pick(item, (network, own) => network.category[own]),
      ),
      quantities: {
        parameters: quantity("parameters"),
        flops: quantity("flops"),
        activation_bytes: quantity("activation_bytes"),
        calls: quantity("calls"),
        nodes: quantity("nodes"),
      },
      ids,
      words: {
        opKind: word("opKind"),
        type: word("type"),
        fqn: word("fqn"),
        settings: word("settings"),
        reads: (item) => pick(item, (network, own) => network.words.reads(own)),
      },
      inputs: both("inputs"),
      outputs: both("outputs"),
    },
    (item) => pick(item, (network, own) => network.label(own)),
    (_network, item) =>
      inAfter[item] >= 0
        ? moved(after.facts(inAfter[item]), fromAfter)
        : moved(before.facts(inBefore[item]), fromBefore),
  );
}

/** Facts with the items that they name numbered as in the merged network. */
function moved(facts: Facts, places: Int32Array): Facts {
  const values = (all: readonly Value[]): Value[] =>
    all.map(({ item, spec }) => ({ item: places[item], spec }));
  return {
    ...facts,
    inputs: values(facts.inputs),
    outputs: values(facts.outputs),
    shared: facts.shared.map((item) => places[item]),
  };
}

/** Takes runs of identical siblings apart where something in them is marked or lies between. */
function withoutMarked(
  repeat: Int32Array,
  marks: Uint8Array,
  { nodes, scopes, parent, children }: Places,
): Int32Array {
  const touched = new Uint8Array(nodes + scopes);
  for (let item = 0; item < marks.length; item++) {
    if (marks[item] === 0) continue;
    for (let at = item; at >= 0 && touched[at] === 0; at = parent[at]) touched[at] = 1;
  }
  const found = new Int32Array(repeat.length).fill(1);
  const follows = (item: Item): boolean => item >= nodes && repeat[item - nodes] === 0;
  for (let scope = 0; scope < scopes; scope++) {
    const end = children.start[scope + 1];
    for (let at = children.start[scope]; at < end; at++) {
      const first = children.values[at];
      if (first < nodes || repeat[first - nodes] < 2) continue;
      const length = repeat[first - nodes];
      const run = children.values.subarray(at, Math.min(at + length, end));
      const intact = run.every((item, k) => touched[item] === 0 && (k === 0 || follows(item)));
      if (!intact || run.length < length) continue;
      found[first - nodes] = length;
      for (const item of run.subarray(1)) found[item - nodes] = 0;
    }
  }
  return found;
}
