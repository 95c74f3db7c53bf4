/** What the side panel tells of an item, made when it is asked for. */

import type { Column, WireCosts, WireNetwork, WireTopology } from "../wire";
import { reader } from "./column";
import type { Facts, Item, Network, Tensor, Value, Words } from "./network";
import { plain } from "./text";

type Attributes = Readonly<Record<string, unknown>>;

/** Gives the texts of the items of a network. */
export function wordsFrom(topology: WireTopology, nodes: number): Words {
  const { nodes: table, scopes, parameters } = topology;
  const kind = reader(table.op_kind, nodes, "nodes.op_kind");
  const target = reader(table.target, nodes, "nodes.target");
  const op = reader(table.op, nodes, "nodes.op");
  const fqn = reader(table.fqn, nodes, "nodes.fqn");
  const attributes = reader<Attributes>(table.attributes, nodes, "nodes.attributes");
  const type = reader(scopes.type, scopes.id.length, "scopes.type");
  const scopeFqn = reader(scopes.fqn, scopes.id.length, "scopes.fqn");
  const config = reader(scopes.config, scopes.id.length, "scopes.config");
  const known = new Map<Attributes | undefined, string>(); // Rows alike have one object.
  const settings = (item: Item): string => {
    const held = attributes(item);
    let text = known.get(held);
    if (text === undefined) {
      text = settingsText(held);
      known.set(held, text);
    }
    return text;
  };
  const read = reader(table.parameters, nodes, "nodes.parameters");
  return {
    reads: (node) => {
      const held = node < nodes ? (read(node) ?? []) : [];
      return held.map((name) => (typeof name === "number" ? parameters.fqn[name] : name));
    },
    opKind: (item) => (item < nodes ? (kind(item) ?? "") : "call_module"),
    type: (item) =>
      plain(item < nodes ? target(item) || op(item) || "" : (type(item - nodes) ?? "")),
    fqn: (item) => plain((item < nodes ? fqn(item) : scopeFqn(item - nodes)) ?? ""),
    settings: (item) => (item < nodes ? settings(item) : plain(config(item - nodes) ?? "")),
  };
}

/** Gives a function that tells everything of an item. */
export function factsFrom(wire: WireNetwork): (network: Network, item: Item) => Facts {
  const { nodes: table, scopes, parameters } = wire.topology;
  const nodes = table.id.length;
  const count = parameters.fqn.length;
  const call = reader(table.call, nodes, "nodes.call");
  const scopeCall = reader(scopes.call, scopes.id.length, "scopes.call");
  const category = reader(table.category, nodes, "nodes.category");
  const attributes = reader<Attributes>(table.attributes, nodes, "nodes.attributes");
  const source = reader(table.source, nodes, "nodes.source");
  const read = reader(table.parameters, nodes, "nodes.parameters");
  const outputs = reader(table.outputs, nodes, "nodes.outputs");
  const shared = optional(table.shared_with, nodes, "nodes.shared_with");
  const pruned = optional(wire.topology.edges.pruned, wire.topology.edges.target.length, "pruned");
  const tensor = tensors(wire.topology, count);
  let calls: Map<string, Item[]> | undefined;

  return (network, item) => {
    const scope = item - nodes;
    const isScope = scope >= 0;
    const inside = isScope ? nodesIn(network, item) : [item];
    const { entering, leaving } = crossing(network, item, inside);
    const fqn = network.words.fqn(item);
    if (isScope) calls ??= scopesByFqn(network);
    const group = isScope ? undefined : shared(item);
    const sharing = isScope
      ? (calls?.get(fqn) ?? [])
      : group === undefined
        ? []
        : (table.groups?.[group] ?? []);
    const names = new Set(inside.flatMap((node) => read(node) ?? []));
    const passed = entering.flatMap((edge) => pruned(edge) ?? []);
    const { source: from, target: to, spec } = network.edges;
    const value = (end: Item, edge: number): Value => ({
      item: end,
      spec: network.specs[spec[edge]] ?? null,
    });
    const given = leaving.map((edge) => value(to[edge], edge));
    if (given.length === 0 && !isScope) {
      for (const at of outputs(item) ?? []) {
        given.push({ item, spec: at === null ? null : (network.specs[at] ?? null) });
      }
    }
    return {
      id: plain(network.ids[item]),
      kind: isScope ? "scope" : "node",
      opKind: network.words.opKind(item),
      type: network.words.type(item),
      fqn,
      call: (isScope ? scopeCall(scope) : call(item)) ?? null,
      category: isScope ? "module" : (category(item) ?? "other"),
      attributes: isScope
        ? splitSettings("config", network.words.settings(item))
        : attributeRows(attributes(item)),
      inputs: entering.map((edge) => value(from[edge], edge)),
      outputs: given,
      parameters: Array.from(names, tensor),
      costs: costs(isScope ? wire.scope_costs : wire.node_costs, isScope ? scope : item),
      source: isScope ? null : (source(item) ?? null),
      shared: sharing.filter((other) => other !== item),
      pruned: [...new Set(passed)].map(plain),
      repeat: isScope ? network.repeat[scope] : 1,
    };
  };
}

/** Lists the nodes in a scope. */
function nodesIn(network: Network, scope: Item): Item[] {
  const { order, enter, leave, nodes } = network;
  const inside: Item[] = [];
  for (let at = enter[scope]; at < leave[scope]; at++)
    if (order[at] < nodes) inside.push(order[at]);
  return inside;
}

/** Finds the edges that enter and leave an item, one for each value that goes to another end. */
function crossing(network: Network, item: Item, inside: readonly Item[]) {
  const { edges, enter, leave, incoming, outgoing } = network;
  const isNode = item < network.nodes;
  const within = (end: Item): boolean => enter[item] <= enter[end] && enter[end] < leave[item];
  const entering: number[] = [];
  const leaving: number[] = [];
  const seen = new Set<string>();
  for (const node of inside) {
    for (let at = incoming.start[node]; at < incoming.start[node + 1]; at++) {
      const edge = incoming.values[at];
      const key = `${edges.source[edge]}:${edges.output[edge]}`;
      // A scope is entered once by a value that many nodes in it take; a node by each edge.
      if (isNode) entering.push(edge);
      else if (!within(edges.source[edge]) && !seen.has(key)) {
        seen.add(key);
        entering.push(edge);
      }
    }
    for (let at = outgoing.start[node]; at < outgoing.start[node + 1]; at++) {
      const edge = outgoing.values[at];
      if (isNode || !within(edges.target[edge])) leaving.push(edge);
    }
  }
  if (isNode) entering.sort((one, other) => edges.input[one] - edges.input[other]);
  return { entering, leaving };
}

function scopesByFqn(network: Network): Map<string, Item[]> {
  const calls = new Map<string, Item[]>();
  for (let item = network.root; item < network.nodes + network.scopes; item++) {
    const fqn = network.words.fqn(item);
    const known = calls.get(fqn);
    if (known === undefined) calls.set(fqn, [item]);
    else known.push(item);
  }
  return calls;
}

function optional<T>(column: Column<T> | undefined, count: number, name: string) {
  return column === undefined ? () => undefined : reader(column, count, name);
}

function tensors({ parameters }: WireTopology, count: number): (name: number | string) => Tensor {
  const shape = reader(parameters.shape, count, "parameters.shape");
  const dtype = reader(parameters.dtype, count, "parameters.dtype");
  const bytes = reader(parameters.bytes, count, "parameters.bytes");
  const kind = reader(parameters.kind, count, "parameters.kind");
  const grad = reader(parameters.requires_grad, count, "parameters.requires_grad");
  const alias = reader(parameters.alias_of, count, "parameters.alias_of");
  return (at) => {
    const known = typeof at === "number" && at >= 0 && at < count;
    const row = known ? at : -1;
    const first = known ? alias(row) : null;
    return {
      fqn: plain(known ? parameters.fqn[row] : String(at)),
      shape: known
        ? (shape(row) ?? []).map((size) => plain(String(size))).join("×") || "scalar"
        : "",
      dtype: known ? plain(dtype(row) ?? "") : "",
      bytes: known ? (bytes(row) ?? 0) : 0,
      kind: known ? (kind(row) ?? "") : "",
      requiresGrad: known && grad(row) === true,
      aliasOf: first === null || first === undefined ? null : plain(first),
    };
  };
}

function costs(table: WireCosts, row: number): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, column[row]]));
}

function scalar(value: unknown): string {
  if (value !== null && typeof value === "object" && "float" in value) return String(value.float);
  return plain(value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));
}

function settingsText(attributes: Attributes | undefined): string {
  if (attributes === undefined) return "";
  const told = Object.entries(attributes).map(([name, value]) =>
    name === "config" ? scalar(value) : `${plain(name)}=${scalar(value)}`,
  );
  return told.filter((text) => text !== "").join(", ");
}

function attributeRows(attributes: Attributes | undefined): [string, string][] {
  return Object.entries(attributes ?? {}).flatMap(([name, value]) =>
    name === "config" ? splitSettings(name, scalar(value)) : [[plain(name), scalar(value)]],
  );
}

/**
 * Splits a module's settings into rows: `64, 64, kernel_size=(3, 3)` gives `64, 64` under the
 * name given, and `(3, 3)` under `kernel_size`.
 */
export function splitSettings(name: string, text: string): [string, string][] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at];
    if (letter === "(" || letter === "[" || letter === "{") depth++;
    else if (letter === ")" || letter === "]" || letter === "}") depth--;
    else if (letter === undefined || (letter === "," && depth === 0)) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const bare: string[] = [];
  const named: [string, string][] = [];
  for (const part of parts) {
    const found = /^([A-Za-z_]\w*)=/.exec(part);
    if (found !== null) named.push([found[1], part.slice(found[0].length)]);
    else if (part !== "") bare.push(part);
  }
  return bare.length > 0 ? [[name, bare.join(", ")], ...named] : named;
}
