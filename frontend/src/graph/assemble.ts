/** Puts a network together from its parts: what follows from a tree and edges is found here. */

import { groupBy, numberTree } from "./lists";
import type { Edges, Facts, Item, Lists, Network, Quantity, Spec, Words } from "./network";

/** What is known of a network from elsewhere; see `Network`. */
export interface Parts {
  readonly name: string;
  readonly nodes: number;
  readonly scopes: number;
  readonly parent: Int32Array;
  readonly children: Lists;
  readonly edges: Edges;
  readonly specs: readonly Spec[];
  /** Number of the spec of the first value that each node gives, -1 if not known. */
  readonly returns: Int32Array;
  readonly repeat: Int32Array;
  readonly category: Uint8Array;
  readonly quantities: Readonly<Record<Quantity, Float64Array>>;
  readonly ids: readonly string[];
  readonly words: Words;
  readonly inputs: readonly Item[];
  readonly outputs: readonly Item[];
}

/**
 * Makes a network of its parts, in time linear in its size.
 *
 * @param facts - What is known of an item; given the network.
 */
export function assemble(
  parts: Parts,
  label: (item: Item) => string,
  facts: (network: Network, item: Item) => Facts,
): Network {
  const { nodes, edges, returns, ...rest } = parts;
  const tree = numberTree(nodes, parts.children);
  const outgoing = groupBy(edges.source, nodes);
  const incoming = groupBy(edges.target, nodes);
  const given = { nodes, edges, returns, outgoing, incoming, tree, parent: parts.parent };
  let numbers: Map<string, Item> | undefined;
  const network: Network = {
    ...rest,
    ...tree,
    nodes,
    root: nodes,
    edges,
    outgoing,
    incoming,
    gives: gives(given, parts.scopes),
    label,
    find: (id) => {
      numbers ??= index(parts.ids);
      return numbers.get(id);
    },
    facts: (item) => facts(network, item),
  };
  return network;
}

function index(ids: readonly string[]): Map<string, Item> {
  const numbers = new Map<string, Item>();
  for (let item = 0; item < ids.length; item++) {
    if (!numbers.has(ids[item])) numbers.set(ids[item], item);
  }
  return numbers;
}

interface Given {
  readonly nodes: number;
  readonly edges: Edges;
  readonly returns: Int32Array;
  readonly outgoing: Lists;
  readonly incoming: Lists;
  readonly tree: ReturnType<typeof numberTree>;
  readonly parent: Int32Array;
}

/**
 * Finds what each item gives; of a scope, the value of its last node that something behind the
 * scope takes.
 *
 * Nodes are looked at from the last one on, and each goes up through the scopes that its value
 * leaves. Scopes that have their value are jumped over (union-find), so that the time is linear
 * for all that matters, also with modules thousands of levels deep.
 */
function gives({ nodes, edges, returns, outgoing, incoming, tree, parent }: Given, scopes: number) {
  const found = new Int32Array(nodes + scopes).fill(-1);
  const open = new Int32Array(scopes).map((_, scope) => scope);
  const firstOpen = (item: Item): Item => {
    let scope = item - nodes;
    while (scope >= 0 && open[scope] !== scope) {
      const next = open[scope];
      if (next >= 0) open[scope] = open[next];
      scope = next;
    }
    return scope < 0 ? -1 : scope + nodes;
  };
  const { order, leave } = tree;
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at];
    if (node >= nodes) continue;
    let farthest = -1;
    let spec = returns[node];
    for (let k = outgoing.start[node]; k < outgoing.start[node + 1]; k++) {
      const edge = outgoing.values[k];
      const place = tree.enter[edges.target[edge]];
      if (place <= farthest) continue;
      farthest = place;
      if (edges.spec[edge] >= 0) spec = edges.spec[edge];
    }
    found[node] = returns[node] >= 0 ? returns[node] : spec;
    if (found[node] < 0 && farthest < 0 && incoming.start[node] < incoming.start[node + 1]) {
      found[node] = edges.spec[incoming.values[incoming.start[node]]];
    }
    let scope = firstOpen(parent[node]);
    while (scope >= 0 && farthest >= leave[scope]) {
      found[scope] = spec;
      const above = parent[scope];
      open[scope - nodes] = above < 0 ? -1 : above - nodes;
      scope = above < 0 ? -1 : firstOpen(above);
    }
  }
  return found;
}
