// Made from visuai/wire.py by frontend/wire_types.py: do not edit, run `make frontend-types`.

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A column in which all rows have one value. */
export interface ConstantColumn<T = Json> {
  all: T;
}

/** A column with a value for each row. */
export interface PlainColumn<T = Json> {
  rows: T[];
}

/** A column of few distinct values: row `i` has `of[at[i]]`, or nothing where -1. */
export interface TableColumn<T = Json> {
  of: T[];
  at: number[];
}

/** One attribute of many rows, each distinct value written once. */
export type Column<T = Json> = ConstantColumn<T> | PlainColumn<T> | TableColumn<T>;

/** A number that JSON cannot say. */
export interface WireFloat {
  float: "inf" | "-inf" | "nan";
}

/**
 * Module calls, parents before children, the root first.
 *
 * `parent` numbers scopes, -1 for the root's. `children` lists nodes by their number, and
 * scope `s` as `-1 - s`, in execution order. `repeat` is the number of identical
 * siblings in the run that a scope starts, 0 for those that follow it.
 */
export interface WireScopes {
  id: string[];
  fqn: Column<string>;
  type: Column<string>;
  call: Column<number | null>;
  parent: number[];
  children: number[][];
  repeat: Column<number>;
  config: Column<string>;
}

/** Edges lifted to the children of each scope; ends are numbered as children are. */
export interface WireFlows {
  scope: number[];
  source: number[];
  target: number[];
  values: Column<number>;
  spec: (number | null)[];
}

/** Parameters, buffers and constants. */
export interface WireParameters {
  fqn: string[];
  shape: Column<(number | string)[]>;
  dtype: Column<string>;
  bytes: Column<number>;
  requires_grad: Column<boolean>;
  kind: Column<"parameter" | "buffer" | "constant">;
  alias_of: Column<string | null>;
}

/**
 * Op occurrences in execution order.
 *
 * `scope` holds numbers of scopes, `parameters` lists of numbers of parameters (or a
 * name that is not among them), `outputs` lists of numbers into `specs`, `source`
 * `[file, line]`; `shared_with` numbers a list of nodes in `groups`.
 */
export interface WireNodes {
  shared_with?: Column<number>;
  groups?: number[][];
  id: string[];
  op_kind: Column<"placeholder" | "call_function" | "call_method" | "call_module" | "get_attr" | "output">;
  op: Column<string>;
  target: Column<string>;
  fqn: Column<string>;
  call: Column<number | null>;
  category: Column<string>;
  source: Column<[string, number] | null>;
  flops: Column<number | null>;
  scope: Column<number>;
  parameters: Column<(number | string)[]>;
  outputs: Column<(number | null)[]>;
  attributes: Column<Record<string, string | number | boolean | null | WireFloat>>;
}

/** Values from node to node: the source's number is `target - back`. */
export interface WireEdges {
  pruned?: Column<string[]>;
  target: number[];
  back: number[];
  spec: (number | null)[];
  source_output: Column<number>;
  target_input: Column<number>;
}

/** One pass that ran. */
export interface WirePass {
  name: string;
  seconds: number;
  nodes: number;
  edges: number;
  removed: Record<string, number>;
}

/** How a topology came about. */
export interface WireReport {
  route: string;
  failures: Record<string, string>;
  notes: string[];
  passes: WirePass[];
}

/** A saved topology; `specs` are `[dtype, size, ...]`. */
export interface WireTopology {
  schema: "visuai/topology@1";
  name: string;
  origin: Record<string, string>;
  report: WireReport;
  inputs: number[];
  outputs: number[];
  scopes: WireScopes;
  flows: WireFlows;
  parameters: WireParameters;
  nodes: WireNodes;
  edges: WireEdges;
  specs: ((string | number)[])[];
}

/** Costs, one number for each node or scope; see `visuai.analysis.cost.Cost`. */
export interface WireCosts {
  parameters: number[];
  trainable: number[];
  parameter_bytes: number[];
  buffer_bytes: number[];
  flops: number[];
  unknown_flops: number[];
  activation_bytes: number[];
  unknown_activations: number[];
  nodes: number[];
}

/** A topology with what it costs. */
export interface WireNetwork {
  topology: WireTopology;
  node_costs: WireCosts;
  scope_costs: WireCosts;
}

/** One difference; see `visuai.analysis.diff.Change`. */
export interface WireChange {
  what: "module" | "node" | "shape" | "edge" | "parameter";
  kind: "added" | "removed" | "renamed" | "changed";
  before: string | null;
  after: string | null;
  details: Record<string, Json[]>;
}

/**
 * What differs between two networks, and which of their nodes and scopes are the same.
 *
 * `nodes` has for each node of the first network the number of its match in the second, -1
 * for none; `scopes` likewise.
 */
export interface WireDiff {
  changes: WireChange[];
  nodes: number[];
  scopes: number[];
}

/** What the viewer is sent: one network, or two and their difference. */
export interface Wire {
  schema: "visuai/wire@1";
  version: string;
  networks: WireNetwork[];
  diff: WireDiff | null;
}

/**
 * One of the networks that the server has, as it lists them.
 *
 * A saved topology that cannot be read says why in `error`, and has no counts.
 */
export interface WireEntry {
  id: string;
  name: string;
  parameters: number | null;
  nodes: number | null;
  error: string | null;
}
