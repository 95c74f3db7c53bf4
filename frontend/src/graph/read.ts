/** Reads the wire: from columns as they were sent to a network in typed arrays. */

import type { Wire, WireCosts, WireDiff, WireNetwork, WireTopology } from "../wire";
import { assemble } from "./assemble";
import { checkLength, counts, integers, list, reader, WireError } from "./column";
import { factsFrom, wordsFrom } from "./facts";
import { CATEGORIES, type Edges, type Item, type Lists, type Network, type Spec } from "./network";
import { plain } from "./text";

const SCHEMA = "visuai/wire@1";

/** What was sent: one network, or two and their difference. */
export interface Document {
  readonly version: string;
  readonly networks: readonly Network[];
  readonly diff: WireDiff | null;
}

/**
 * Reads what the server sent or a page holds, after `JSON.parse`.
 *
 * @throws WireError that says what is wrong, if it is of another version or does not hold together.
 */
export function readWire(document: unknown): Document {
  const wire = document as Partial<Wire> | null;
  if (wire === null || typeof wire !== "object" || wire.schema !== SCHEMA) {
    const got = JSON.stringify((wire as { schema?: unknown } | null)?.schema)?.slice(0, 60);
    throw new WireError(
      `This is not what the viewer reads: got schema ${got}, expected "${SCHEMA}". ` +
        "Viewer and Visuai must be of the same version; reload the page.",
    );
  }
  if (!Array.isArray(wire.networks) || wire.networks.length < 1 || wire.networks.length > 2) {
    throw new WireError("Expected one network or two.");
  }
  const diff = wire.diff ?? null;
  const networks = wire.networks.map(readNetwork);
  if (diff !== null) checkDiff(diff, networks);
  return { version: String(wire.version ?? ""), networks, diff };
}

/**
 * Reads one network, in time linear in its size.
 *
 * @throws WireError if it does not hold together.
 */
export function readNetwork(wire: WireNetwork): Network {
  const topology = wire?.topology;
  if (!topology?.nodes || !topology.scopes || !topology.edges || !topology.parameters) {
    throw new WireError("A network lacks its nodes, scopes, edges or parameters.");
  }
  const nodeIds = texts(topology.nodes.id, "nodes.id");
  const scopeIds = texts(topology.scopes.id, "scopes.id");
  const nodes = nodeIds.length;
  const scopes = scopeIds.length;
  if (scopes === 0) throw new WireError("A network has no root scope.");
  const parent = parents(topology, nodes, scopes);
  const specs = readSpecs(topology.specs);
  const ids = nodeIds.concat(scopeIds);
  const words = wordsFrom(topology, nodes);
  const children = readChildren(topology.scopes.children, parent, nodes, scopes);
  return assemble(
    {
      name: plain(String(topology.name)),
      nodes,
      scopes,
      parent,
      children,
      edges: readEdges(topology, nodes, specs.length),
      specs,
      returns: returns(topology, nodes, specs.length),
      repeat: integers(topology.scopes.repeat, scopes, "scopes.repeat", [0, 2 ** 31]),
      category: categories(topology, nodes, scopes),
      quantities: quantities(wire, nodes, scopes, words),
      ids,
      words,
      inputs: Array.from(list(topology.inputs, topology.inputs.length, "inputs", [0, nodes])),
      outputs: Array.from(list(topology.outputs, topology.outputs.length, "outputs", [0, nodes])),
    },
    labels(topology, nodes, ids),
    factsFrom(wire),
  );
}

function texts(values: unknown, name: string): string[] {
  if (!Array.isArray(values)) throw new WireError(`"${name}" is not a list.`);
  for (const value of values) {
    if (typeof value !== "string") throw new WireError(`"${name}" holds what is not text.`);
  }
  return values;
}

function parents({ nodes: table, scopes: boxes }: WireTopology, nodes: number, scopes: number) {
  const parent = new Int32Array(nodes + scopes);
  parent.set(integers(table.scope, nodes, "nodes.scope", [0, scopes]));
  parent.set(list(boxes.parent, scopes, "scopes.parent", [-1, scopes]), nodes);
  for (let item = 0; item < nodes + scopes; item++) {
    const scope = parent[item];
    if (item >= nodes && (item === nodes ? scope !== -1 : scope < 0 || scope >= item - nodes)) {
      throw new WireError(`Scope ${item - nodes} has parent ${scope}; parents come before.`);
    }
    if (scope >= 0) parent[item] = scope + nodes;
  }
  return parent;
}

function readChildren(rows: number[][], parent: Int32Array, nodes: number, scopes: number): Lists {
  checkLength(rows, scopes, "scopes.children");
  const start = new Int32Array(scopes + 1);
  const values = new Int32Array(nodes + scopes - 1);
  const seen = new Uint8Array(nodes + scopes);
  let at = 0;
  for (let scope = 0; scope < scopes; scope++) {
    for (const code of rows[scope]) {
      const item = code >= 0 ? code : nodes - 1 - code;
      if (parent[item] !== nodes + scope || seen[item] === 1) {
        throw new WireError(`Scope ${scope} lists child ${code}, which is not or once more in it.`);
      }
      seen[item] = 1;
      values[at++] = item;
    }
    start[scope + 1] = at;
  }
  if (at !== values.length) throw new WireError("A node or scope is not among the children.");
  return { start, values };
}

function readEdges(topology: WireTopology, nodes: number, specs: number): Edges {
  const { target: ends, back, spec, source_output, target_input } = topology.edges;
  checkLength(ends, ends?.length, "edges.target");
  const count = ends.length;
  const target = list(ends, count, "edges.target", [0, nodes]);
  const source = list(back, count, "edges.back", [-nodes, nodes + 1]);
  for (let edge = 0; edge < count; edge++) {
    source[edge] = target[edge] - source[edge];
    if (source[edge] < 0 || source[edge] >= nodes) {
      throw new WireError(`Edge ${edge} leaves node ${source[edge]}, which is not there.`);
    }
  }
  return {
    source,
    target,
    output: integers(source_output, count, "edges.source_output", [0, 2 ** 31]),
    input: integers(target_input, count, "edges.target_input", [0, 2 ** 31]),
    spec: list(spec, count, "edges.spec", [-1, specs]),
  };
}

const BITS: Readonly<Record<string, number>> = {
  bool: 8,
  half: 16,
  float: 32,
  double: 64,
  string: 0,
};

/** Bytes of a tensor, 0 if a size or the dtype is not known. */
function sizeOf(dtype: string, shape: readonly (number | string)[]): number {
  const found = /^[a-z]+(\d{1,3})(?!\d)(?:.*?x(\d{1,2})$)?/.exec(dtype);
  const bits = BITS[dtype] ?? (found === null ? 0 : Number(found[1]) * Number(found[2] ?? 1));
  let elements = 1;
  for (const size of shape) elements *= typeof size === "number" ? size : 0;
  return Math.ceil((elements * bits) / 8);
}

function readSpecs(rows: (string | number)[][]): Spec[] {
  checkLength(rows, rows?.length, "specs");
  return rows.map((row) => {
    if (!Array.isArray(row) || typeof row[0] !== "string") {
      throw new WireError(`"specs" holds ${String(row).slice(0, 40)}, expected a dtype and sizes.`);
    }
    const [dtype, ...shape] = row;
    const text = shape.map((size) => plain(String(size))).join("×") || "scalar";
    return { dtype: plain(dtype), shape, bytes: sizeOf(dtype, shape), text };
  });
}

function returns(topology: WireTopology, nodes: number, specs: number): Int32Array {
  const outputs = reader(topology.nodes.outputs, nodes, "nodes.outputs");
  const found = new Int32Array(nodes).fill(-1);
  for (let node = 0; node < nodes; node++) {
    const known = outputs(node)?.find((spec) => spec !== null);
    if (known === undefined || known === null) continue;
    if (!(known >= 0 && known < specs)) {
      throw new WireError(`Node ${node} returns spec ${known}, which is not there.`);
    }
    found[node] = known;
  }
  return found;
}

function categories(topology: WireTopology, nodes: number, scopes: number): Uint8Array {
  const numbers = new Map<string | undefined, number>(CATEGORIES.map((name, at) => [name, at]));
  const other = CATEGORIES.indexOf("other");
  const category = reader(topology.nodes.category, nodes, "nodes.category");
  const found = new Uint8Array(nodes + scopes).fill(CATEGORIES.indexOf("module"), nodes);
  for (let node = 0; node < nodes; node++) found[node] = numbers.get(category(node)) ?? other;
  return found;
}

function quantities(
  { node_costs, scope_costs }: WireNetwork,
  nodes: number,
  scopes: number,
  words: Network["words"],
): Network["quantities"] {
  const both = (name: keyof WireCosts): Float64Array => {
    const found = new Float64Array(nodes + scopes);
    found.set(counts(node_costs?.[name], nodes, `node_costs.${name}`));
    found.set(counts(scope_costs?.[name], scopes, `scope_costs.${name}`), nodes);
    return found;
  };
  let calls: Float64Array | undefined;
  return {
    parameters: both("parameters"),
    flops: both("flops"),
    activation_bytes: both("activation_bytes"),
    nodes: both("nodes"),
    get calls() {
      calls ??= callsOf(words, nodes, scopes);
      return calls;
    },
  };
}

/** Counts how often the module of each item is called; 1 for an op that is no module. */
function callsOf(words: Network["words"], nodes: number, scopes: number): Float64Array {
  const times = new Map<string, number>();
  const called = (item: Item): string => {
    return words.opKind(item) === "call_module" ? words.fqn(item) : "";
  };
  for (let item = 0; item < nodes + scopes; item++) {
    const fqn = called(item);
    if (fqn !== "") times.set(fqn, (times.get(fqn) ?? 0) + 1);
  }
  return new Float64Array(nodes + scopes).map((_, item) => times.get(called(item)) ?? 1);
}

function labels(topology: WireTopology, nodes: number, ids: readonly string[]) {
  const op = reader(topology.nodes.op, nodes, "nodes.op");
  const target = reader(topology.nodes.target, nodes, "nodes.target");
  const kind = reader(topology.nodes.op_kind, nodes, "nodes.op_kind");
  const type = reader(topology.scopes.type, ids.length - nodes, "scopes.type");
  return (item: Item): string => {
    if (item >= nodes) {
      const name = type(item - nodes) || ids[item] || String(topology.name);
      return plain(name.slice(name.lastIndexOf(".") + 1) || name);
    }
    if (kind(item) === "placeholder") return "input";
    return plain(op(item) || target(item) || kind(item) || "");
  };
}

function checkDiff(diff: WireDiff, networks: readonly Network[]): void {
  const [a, b] = networks;
  if (b === undefined) throw new WireError("A difference needs two networks, got one.");
  list(diff.nodes, a.nodes, "diff.nodes", [-1, b.nodes]);
  list(diff.scopes, a.scopes, "diff.scopes", [-1, b.scopes]);
  checkLength(diff.changes, diff.changes?.length, "diff.changes");
}
