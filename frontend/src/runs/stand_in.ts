/**
 * Which repeat a folded run of identical modules shows: one box stands for several that train
 * unlike, and what went wrong in one of them must not be hidden behind another.
 */

import type { Item, Network } from "../graph/network";
import { childrenOf, isScope, repeatOf } from "../view/opening";
import type { Measure } from "./measures";

/** Values as boxes show them. */
export interface BoxValues {
  /** The value of the box of each item. */
  readonly values: Float64Array;
  /** The item whose value that is: another one in and at folded runs. */
  readonly from: Int32Array;
  /** How many folded runs there are. */
  readonly folded: number;
}

/** Takes for each folded run, and all that is in it, the values of its extreme repeat. */
export function boxValues(
  network: Network,
  values: Float64Array,
  unfolded: ReadonlySet<Item>,
  measure: Measure,
): BoxValues {
  const { order, enter, leave, parent } = network;
  const from = new Int32Array(order.length);
  for (let item = 0; item < from.length; item += 1) from[item] = item;
  let folded = 0;
  // From the outside in: a run inside of a run is looked at in the repeat that the outer one shows.
  for (const first of order) {
    if (repeatOf(network, first) < 2 || unfolded.has(first)) continue;
    folded += 1;
    const shift = enter[from[first]] - enter[first];
    const size = leave[first] - enter[first];
    const repeats = repeatsOf(network, first)
      .map((item) => order[enter[item] + shift])
      .filter((item) => leave[item] - enter[item] === size && parent[item] >= 0);
    const shown =
      repeats[
        extreme(
          repeats.map((item) => values[item]),
          measure,
        )
      ] ?? from[first];
    for (let at = 0; at < size; at += 1) from[order[enter[first] + at]] = order[enter[shown] + at];
  }
  return {
    values: folded === 0 ? values : Float64Array.from(from, (one) => values[one]),
    from,
    folded,
  };
}

/** The scopes of the run that a scope starts, itself first. */
function repeatsOf(network: Network, first: Item): Item[] {
  const siblings = childrenOf(network, network.parent[first]);
  const found = [first];
  for (let at = siblings.indexOf(first) + 1; at < siblings.length; at += 1) {
    if (!isScope(network, siblings[at])) continue;
    if (repeatOf(network, siblings[at]) !== 0) break;
    found.push(siblings[at]);
  }
  return found;
}

/**
 * Where the extreme one among values of alike modules is, -1 if none was recorded: one that is
 * not finite; else the highest share or count; else the one that is farthest from the middle one
 * in orders of magnitude, the lower of two, because gradients die more often than they explode.
 */
export function extreme(values: readonly number[], { scale, combine }: Measure): number {
  const bad = values.indexOf(Number.POSITIVE_INFINITY);
  if (bad >= 0) return bad;
  const high = scale === "share" || combine === "sum";
  const size = (value: number) => (high ? value : Math.log(Math.abs(value) + TINY));
  const sizes = values.map(size);
  const known = sizes.filter((one) => !Number.isNaN(one)).sort((one, other) => one - other);
  const middle = ((known[(known.length - 1) >> 1] ?? 0) + (known[known.length >> 1] ?? 0)) / 2;
  let found = -1;
  for (let at = 0; at < sizes.length; at += 1) {
    if (Number.isNaN(sizes[at])) continue;
    const more = found < 0 ? 1 : away(sizes[at]) - away(sizes[found]);
    if (more > 0 || (more === 0 && !high && sizes[at] < sizes[found])) found = at;
  }
  return found;

  function away(one: number): number {
    return high ? one : Math.abs(one - middle);
  }
}

/** A size that is as good as 0, so that 0 has a logarithm. */
const TINY = 1e-45;
