/** Which boxes an opening shows, and which box shows what is hidden. */

import type { Item } from "../graph/network";
import type { Opening } from "./picture";
import type { Survey } from "./survey";

/** The boxes of an opening in preorder; box 0 is the root, which is not drawn. */
export interface Visible {
  readonly item: Int32Array;
  /** The box around each, -1 for the root. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly open: Uint8Array;
  readonly repeat: Int32Array;
  /** The innermost box that shows an item, -1 for what is in no box. */
  readonly boxOf: Int32Array;
  /**
   * A folded run of identical siblings shows its first; an item in another of them has its
   * counterpart in the first here, any other item has itself. Null if nothing is folded.
   */
  readonly image: Int32Array | null;
}

/** Finds the boxes of an opening, in time linear in the network. */
export function visible(survey: Survey, opening: Opening): Visible {
  const { outline, root, order, enter, size } = survey;
  const { nodes, children, repeat } = outline;
  const item: Item[] = [];
  const parent: number[] = [];
  const depth: number[] = [];
  const open: number[] = [];
  const times: number[] = [];
  const boxOf = new Int32Array(survey.items).fill(-1);
  const followers: { item: Item; first: Item }[] = [];
  const stack: { item: Item; parent: number; times: number }[] = [
    { item: root, parent: -1, times: 1 },
  ];
  while (stack.length > 0) {
    const next = stack.pop() as { item: Item; parent: number; times: number };
    const box = item.length;
    const isOpen = next.item >= nodes && (next.item === root || opening.open.has(next.item));
    item.push(next.item);
    parent.push(next.parent);
    depth.push(next.parent < 0 ? 0 : depth[next.parent] + 1);
    open.push(isOpen ? 1 : 0);
    times.push(next.times);
    if (!isOpen) {
      const last = enter[next.item] + size[next.item];
      for (let place = enter[next.item]; place < last; place++) boxOf[order[place]] = box;
      continue;
    }
    boxOf[next.item] = box;
    const from = stack.length;
    let first: { item: Item; parent: number; times: number } | null = null;
    const row = next.item - nodes;
    for (let at = children.start[row]; at < children.start[row + 1]; at++) {
      const child = children.values[at];
      const run = child < nodes ? 1 : repeat[child - nodes];
      if (run === 0 && first !== null) {
        first.times++;
        followers.push({ item: child, first: first.item });
        continue;
      }
      const entry = { item: child, parent: box, times: 1 };
      stack.push(entry);
      if (run > 1) first = opening.unfolded.has(child) ? null : entry;
    }
    reverse(stack, from);
  }
  return {
    item: Int32Array.from(item),
    parent: Int32Array.from(parent),
    depth: Int32Array.from(depth),
    open: Uint8Array.from(open),
    repeat: Int32Array.from(times),
    boxOf,
    image: imageOf(survey, followers, boxOf),
  };
}

/** Maps what is in folded siblings to its counterpart in the first of them, inner runs first. */
function imageOf(
  survey: Survey,
  followers: readonly { item: Item; first: Item }[],
  boxOf: Int32Array,
): Int32Array | null {
  if (followers.length === 0) return null;
  const { order, enter, size } = survey;
  const image = Int32Array.from({ length: survey.items }, (_, item) => item);
  for (let at = followers.length - 1; at >= 0; at--) {
    const { item, first } = followers[at];
    for (let inside = 0; inside < size[item]; inside++) {
      const own = order[enter[item] + inside];
      const like = inside < size[first] ? order[enter[first] + inside] : first;
      image[own] = image[like];
      boxOf[own] = boxOf[like];
    }
  }
  return image;
}

function reverse<T>(list: T[], from: number): void {
  for (let a = from, b = list.length - 1; a < b; a++, b--) {
    const kept = list[a];
    list[a] = list[b];
    list[b] = kept;
  }
}
