/** The texts of a network, made ready once so that each search is fast. */

import { CATEGORIES, type Network } from "../graph/network";
import { plain } from "../graph/text";

/** Texts that items have in common: class and settings are the same for very many. */
export interface Shared {
  readonly label: string;
  readonly type: string;
  readonly attribute: string;
  readonly shape: string;
  readonly dtype: string;
  readonly category: string;
}

/** Everything that is searched in. */
export interface Haystack {
  readonly network: Network;
  /** Ids of the items, safe to show. */
  readonly ids: readonly string[];
  /** Texts other than ids, each distinct combination once, and which of them each item has. */
  readonly shared: readonly Shared[];
  readonly sharedOf: Int32Array;
}

const SLICE = 512; // Items between two looks at the clock.

/** Makes a haystack in steps, after each of which the page may do something else. */
export function* prepare(network: Network): Generator<void, Haystack> {
  const items = network.nodes + network.scopes;
  const { type, settings } = network.words;
  const ids: string[] = new Array(items);
  const sharedOf = new Int32Array(items);
  const shared: Shared[] = [];
  const known = new Map<string, number>();
  for (let item = 0; item < items; item++) {
    ids[item] = plain(network.ids[item]);
    const spec = network.specs[network.gives[item]];
    // The target of a placeholder is its own name, which the id tells already.
    const typeOf = network.words.opKind(item) === "placeholder" ? "" : type(item);
    const found: Shared = {
      label: network.label(item),
      type: typeOf,
      attribute: settings(item),
      shape: spec?.text ?? "",
      dtype: spec?.dtype ?? "",
      category: CATEGORIES[network.category[item]],
    };
    const key = `${found.label}\n${typeOf}\n${found.attribute}\n${network.gives[item]}\n${found.category}`;
    const number = known.get(key);
    sharedOf[item] = number ?? shared.length;
    if (number === undefined) {
      known.set(key, shared.length);
      shared.push(found);
    }
    if (item % SLICE === SLICE - 1) yield;
  }
  return { network, ids, shared, sharedOf };
}
