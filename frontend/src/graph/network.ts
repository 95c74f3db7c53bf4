/**
 * A network in memory: flat typed arrays, made once from the wire.
 *
 * An *item* is a node or a scope: nodes are numbered from 0 in execution order, and scope `s`
 * is item `nodes + s`. The root is item `nodes`. All trees and graphs here are walked with
 * loops, never by recursion: networks can be thousands of modules deep.
 */

/** Number of a node or of a scope. */
export type Item = number;

/** Lists of numbers, one for each row: row `i` is `values[start[i]] … values[start[i + 1] - 1]`. */
export interface Lists {
  readonly start: Int32Array;
  readonly values: Int32Array;
}

/** Shape and dtype of a tensor. */
export interface Spec {
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
  /** Size in bytes, 0 if not known. */
  readonly bytes: number;
  /** As it is shown: `1×64×56×56`. */
  readonly text: string;
}

/** Edges between nodes: one value each, from an output of one node to an input of another. */
export interface Edges {
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly output: Int32Array;
  readonly input: Int32Array;
  /** Number into `specs`, -1 if not known. */
  readonly spec: Int32Array;
}

/** What can be counted for an item; an array of all of them, by item. */
export type Quantity = "parameters" | "flops" | "activation_bytes" | "calls" | "nodes";

/** A network, read-only. */
export interface Network {
  readonly name: string;
  /** Number of nodes, and the item of the root. */
  readonly nodes: number;
  readonly scopes: number;
  readonly root: Item;
  /** The scope (as item) around each item, -1 for the root. */
  readonly parent: Int32Array;
  /** Levels below the root, 0 for the root. */
  readonly depth: Int32Array;
  /** Children of each scope `s` (not item) as items, in execution order. */
  readonly children: Lists;
  /**
   * Preorder numbers: item `b` lies in item `a` (or is it) if
   * `enter[a] <= enter[b] && enter[b] < leave[a]`.
   */
  readonly enter: Int32Array;
  readonly leave: Int32Array;
  /** Items by preorder number: what lies in `a` is `order[enter[a]] … order[leave[a] - 1]`. */
  readonly order: Int32Array;
  readonly edges: Edges;
  /** Edges by the node they leave, and by the node they enter. */
  readonly outgoing: Lists;
  readonly incoming: Lists;
  readonly specs: readonly Spec[];
  /** What each item gives: the first value of a node, the last that leaves a scope; or -1. */
  readonly gives: Int32Array;
  /** Per scope `s`: identical siblings in the run that it starts (>= 2), 0 if it follows, else 1. */
  readonly repeat: Int32Array;
  /** Category of each item, an index into `CATEGORIES`. */
  readonly category: Uint8Array;
  readonly quantities: Readonly<Record<Quantity, Float64Array>>;
  /** Ids by item: call-sites of nodes and scopes; the root's is "". */
  readonly ids: readonly string[];
  /** Short name by item: the op or class, as written on its box. */
  readonly label: (item: Item) => string;
  /** Texts of items that captions and the search want for very many. */
  readonly words: Words;
  /** Item by id. */
  readonly find: (id: string) => Item | undefined;
  /** Everything else that is known of an item, made when asked for. */
  readonly facts: (item: Item) => Facts;
  readonly inputs: readonly Item[];
  readonly outputs: readonly Item[];
}

/** Texts of items, safe to show. */
export interface Words {
  readonly opKind: (item: Item) => string;
  /** Class or op, in full. */
  readonly type: (item: Item) => string;
  readonly fqn: (item: Item) => string;
  /** Attributes, or the module's settings: `3, 64, kernel_size=(7, 7)`. */
  readonly settings: (item: Item) => string;
  /** FQNs, as they are, of the parameters, buffers and constants that a node reads. */
  readonly reads: (node: Item) => readonly string[];
}

/** What the side panel tells of an item. */
export interface Facts {
  readonly id: string;
  readonly kind: "node" | "scope";
  readonly opKind: string;
  /** Class or op, in full. */
  readonly type: string;
  readonly fqn: string;
  readonly call: number | null;
  readonly category: string;
  /** Attributes and settings as text. */
  readonly attributes: readonly (readonly [string, string])[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly parameters: readonly Tensor[];
  readonly costs: Readonly<Record<string, number>>;
  /** File and line of the call. */
  readonly source: readonly [string, number] | null;
  /** Items that share a weight or the module with this one. */
  readonly shared: readonly Item[];
  /** What was pruned on the edges that enter: op names. */
  readonly pruned: readonly string[];
  readonly repeat: number;
}

/** A value at an item: the other end (the item itself if nothing takes it), and what flows. */
export interface Value {
  readonly item: Item;
  readonly spec: Spec | null;
}

/** A parameter, buffer or constant. */
export interface Tensor {
  readonly fqn: string;
  readonly shape: string;
  readonly dtype: string;
  readonly bytes: number;
  readonly kind: string;
  readonly requiresGrad: boolean;
  readonly aliasOf: string | null;
}

/** Categories of ops, in the order of the legend; the palette has a colour for each. */
export const CATEGORIES = [
  "io",
  "conv",
  "linear",
  "attention",
  "recurrent",
  "embedding",
  "norm",
  "activation",
  "pool",
  "dropout",
  "arithmetic",
  "reduce",
  "shape",
  "loss",
  "constant",
  "module",
  "other",
] as const;

export type Category = (typeof CATEGORIES)[number];
