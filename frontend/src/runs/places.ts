/**
 * Where in a network what was recorded stands, and the value of each box at a step.
 *
 * A parameter is at the nodes that read it, a module's activations at its scope. A scope combines
 * what is inside; what stands there twice (a shared weight, a module called again) counts once.
 */

import type { Item, Network } from "../graph/network";
import { plain } from "../graph/text";
import type { RunAbout } from "./answers";
import type { Combine, Measure } from "./measures";

/** Contributions of subjects to items; one of sign -1 takes back what was counted twice. */
export interface Places {
  readonly subject: Int32Array;
  readonly item: Int32Array;
  readonly sign: Int8Array;
  /** The first item of each subject, -1 if it stands nowhere. */
  readonly first: Int32Array;
  /** Elements of each subject. */
  readonly sizes: Float64Array;
}

/** Finds the items of subjects (FQNs of parameters or of modules). */
export function placesOf(
  network: Network,
  about: RunAbout,
  of: Measure["of"],
  subjects: readonly string[],
): Places {
  const at = finder(network, of);
  const shapes = new Map(about.parameters.map(({ fqn, shape }) => [fqn, shape]));
  const subject: number[] = [];
  const item: number[] = [];
  const sign: number[] = [];
  const first = new Int32Array(subjects.length).fill(-1);
  const sizes = new Float64Array(subjects.length).fill(1);
  subjects.forEach((fqn, row) => {
    for (const size of shapes.get(fqn) ?? []) sizes[row] *= size;
    const items = [...at(fqn)].sort((one, other) => network.enter[one] - network.enter[other]);
    items.forEach((found, place) => {
      add(row, found, 1);
      if (place > 0) add(row, around(network, items[place - 1], found), -1);
    });
    if (items.length > 0) first[row] = items[0];
  });
  function add(row: number, found: Item, by: 1 | -1): void {
    subject.push(row);
    item.push(found);
    sign.push(by);
  }
  return {
    subject: Int32Array.from(subject),
    item: Int32Array.from(item),
    sign: Int8Array.from(sign),
    first,
    sizes,
  };
}

/** Combines the values of subjects into one for each item, NaN where there is none. */
export function valuesByItem(
  network: Network,
  { subject, item, sign, sizes }: Places,
  values: ArrayLike<number>,
  combine: Combine,
): Float64Array {
  const { order, parent } = network;
  const items = order.length;
  const sum = new Float64Array(items);
  const weight = new Float64Array(items);
  const there = new Int32Array(items);
  const weighted = combine === "mean" || combine === "rms";
  const squared = combine === "norm" || combine === "rms";
  for (let at = 0; at < subject.length; at += 1) {
    const value = values[subject[at]];
    if (Number.isNaN(value)) continue;
    const share = weighted ? sizes[subject[at]] : 1;
    sum[item[at]] += sign[at] * share * (squared ? value * value : value);
    weight[item[at]] += sign[at] * share;
    there[item[at]] += sign[at];
  }
  for (let at = items - 1; at > 0; at -= 1) {
    const inner = order[at];
    const outer = parent[inner];
    sum[outer] += sum[inner];
    weight[outer] += weight[inner];
    there[outer] += there[inner];
  }
  const found = new Float64Array(items).fill(Number.NaN);
  for (let at = 0; at < items; at += 1) {
    if (there[at] <= 0) continue;
    // One infinite value less another: one that counts once of several that are not finite.
    const added = Number.isNaN(sum[at]) ? Number.POSITIVE_INFINITY : sum[at];
    const total = weighted ? (weight[at] > 0 ? added / weight[at] : Number.NaN) : added;
    found[at] = squared ? Math.sqrt(Math.max(0, total)) : total;
  }
  return found;
}

/** The item of a subject: where a diagnosis or a click on its row goes. */
export function itemOf(network: Network, fqn: string): Item | null {
  const { reading, modules } = indexOf(network);
  const [item] = reading.get(fqn) ?? modules.get(plain(fqn)) ?? outer(modules, plain(fqn));
  return item ?? null;
}

function finder(network: Network, of: Measure["of"]): (fqn: string) => readonly Item[] {
  const { reading, modules } = indexOf(network);
  const inModules = (fqn: string) => modules.get(fqn) ?? outer(modules, fqn);
  // Modules go by the names that are shown, parameters by those that they really have.
  if (of === "modules") return (fqn) => inModules(plain(fqn));
  return (fqn) => reading.get(fqn) ?? inModules(plain(fqn));
}

/** The nearest module around a name that no item has. */
function outer(modules: ReadonlyMap<string, readonly Item[]>, fqn: string): readonly Item[] {
  for (let end = fqn.lastIndexOf("."); end > 0; end = fqn.lastIndexOf(".", end - 1)) {
    const found = modules.get(fqn.slice(0, end));
    if (found) return found;
  }
  return [];
}

interface Index {
  readonly reading: ReadonlyMap<string, readonly Item[]>;
  readonly modules: ReadonlyMap<string, readonly Item[]>;
}

const INDICES = new WeakMap<Network, Index>();

function indexOf(network: Network): Index {
  const known = INDICES.get(network);
  if (known) return known;
  const reading = new Map<string, Item[]>();
  const modules = new Map<string, Item[]>();
  const put = (map: Map<string, Item[]>, fqn: string, item: Item) => {
    const items = map.get(fqn);
    if (items) items.push(item);
    else map.set(fqn, [item]);
  };
  for (let node = 0; node < network.nodes; node += 1) {
    for (const fqn of new Set(network.words.reads(node))) put(reading, fqn, node);
  }
  for (let scope = network.nodes + 1; scope < network.nodes + network.scopes; scope += 1) {
    put(modules, network.words.fqn(scope), scope);
  }
  const scoped = new Set(modules.keys());
  for (let node = 0; node < network.nodes; node += 1) {
    const fqn = network.words.fqn(node);
    if (fqn && !scoped.has(fqn)) put(modules, fqn, node);
  }
  const made = { reading, modules };
  INDICES.set(network, made);
  return made;
}

/** The innermost scope around two items, or the one if it holds the other. */
function around({ enter, leave, parent }: Network, one: Item, other: Item): Item {
  let at = one;
  while (!(enter[at] <= enter[other] && enter[other] < leave[at])) at = parent[at];
  return at;
}
