/** Random networks as they are sent, for properties that hold for every network. */

import fc from "fast-check";
import type { WireCosts, WireNetwork } from "../src/wire";

/** A small network: nodes in nested scopes, edges that lead forward. */
export const randomNetwork: fc.Arbitrary<WireNetwork> = fc
  .record({
    scopes: fc.array(fc.nat(), { maxLength: 7 }),
    nodes: fc.array(fc.nat(), { minLength: 1, maxLength: 16 }),
    edges: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(2)), { maxLength: 30 }),
    names: fc.array(fc.string({ maxLength: 12, unit: "binary" }), { maxLength: 24 }),
  })
  .map(({ scopes, nodes, edges, names }) => make(scopes, nodes, edges, names));

function make(
  scopes: number[],
  nodes: number[],
  edges: [number, number, number][],
  names: string[],
): WireNetwork {
  const parent = [-1, ...scopes.map((any, at) => any % (at + 1))];
  const scope = nodes.map((any) => any % parent.length);
  const children: number[][] = parent.map(() => []);
  const listed = new Set([0]);
  const list = (box: number): void => {
    for (let at = box; !listed.has(at); at = parent[at]) {
      listed.add(at);
      children[parent[at]].push(-1 - at);
    }
  };
  scope.forEach((box, node) => {
    list(box);
    children[box].push(node);
  });
  parent.forEach((_, box) => {
    list(box);
  });
  const count = nodes.length;
  const pairs = edges
    .map(([one, other, output]) => [one % count, other % count, output])
    .filter(([source, target]) => source < target)
    .sort((one, other) => one[1] - other[1]);
  const name = (at: number): string => `${names[at] ?? "n"}#${at}`;
  return {
    topology: {
      schema: "visuai/topology@1",
      name: "Random",
      origin: {},
      report: { route: "", failures: {}, notes: [], passes: [] },
      inputs: [0],
      outputs: [count - 1],
      scopes: {
        id: parent.map((_, at) => (at === 0 ? "" : `s${name(at)}`)),
        fqn: { rows: parent.map((_, at) => `s${at}`) },
        type: { rows: parent.map((_, at) => `pkg.Type${at % 3}`) },
        call: { all: 0 },
        parent,
        children,
        repeat: { all: 1 },
        config: { all: "" },
      },
      flows: { scope: [], source: [], target: [], values: { rows: [] }, spec: [] },
      parameters: {
        fqn: [],
        shape: { rows: [] },
        dtype: { rows: [] },
        bytes: { rows: [] },
        requires_grad: { rows: [] },
        kind: { rows: [] },
        alias_of: { rows: [] },
      },
      nodes: {
        id: nodes.map((_, at) => name(parent.length + at)),
        op_kind: { all: "call_function" },
        op: { of: ["add", "Conv2d"], at: nodes.map((any) => any % 2) },
        target: { all: "torch.op" },
        fqn: { all: "" },
        call: { all: null },
        category: { of: ["conv", "other"], at: nodes.map((any) => (any % 3) - 1) },
        source: { all: null },
        flops: { all: 1 },
        scope: { rows: scope },
        parameters: { all: [] },
        outputs: { rows: nodes.map((_, at) => [at % 2, null, 1]) },
        attributes: { all: {} },
      },
      edges: {
        target: pairs.map(([, target]) => target),
        back: pairs.map(([source, target]) => target - source),
        spec: pairs.map(([source]) => source % 2),
        source_output: { rows: pairs.map(([, , output]) => output) },
        target_input: { rows: pairs.map((_, at) => at) },
      },
      specs: [
        ["float32", 1, 4],
        ["int64", "batch"],
      ],
    },
    node_costs: costs(count),
    scope_costs: costs(parent.length),
  };
}

function costs(count: number): WireCosts {
  const column = (from: number): number[] => Array.from({ length: count }, (_, at) => at * from);
  return {
    parameters: column(0),
    trainable: column(0),
    parameter_bytes: column(0),
    buffer_bytes: column(0),
    flops: column(3),
    unknown_flops: column(0),
    activation_bytes: column(5),
    unknown_activations: column(0),
    nodes: column(1),
  };
}
