/** How boxes look: colours by what the state says, marks of a comparison, what stands out. */

import type { Item, Network } from "../graph/network";
import type { Picture } from "../layout/picture";
import {
  type Colouring,
  colourByCategory,
  colourByQuantity,
  type Legend,
} from "../scale/colouring";
import type { Dimension, Paint } from "../scene/stage";
import type { ColourBy, State } from "../view/state";
import { COLOURS } from "./theme";

/** Mark of an item in a comparison: 0 none, 1 added, 2 removed, 3 changed. */
export type Mark = 0 | 1 | 2 | 3;

/** Paints the pictures of one network. */
export interface Painter {
  /** What items are coloured by, made once for each way and theme. */
  readonly colouring: (by: ColourBy, theme: "light" | "dark") => Colouring;
  /** What the colours of the next paint mean. */
  readonly legend: (by: ColourBy, theme: "light" | "dark") => Legend;
  /** Lays other colours over those of the state, such as those of a run; null takes them away. */
  readonly cover: (colouring: Colouring | null) => void;
  /**
   * How boxes look. What has not changed since the last paint stays the same object, by which
   * the stage knows that it has nothing to do.
   */
  readonly paint: (
    picture: Picture,
    state: State,
    theme: "light" | "dark",
    lit: ReadonlySet<Item> | null,
    shown: (item: Item) => Item,
  ) => Paint;
  /** Height of a box in a picture with a third axis, from 0 to 1. */
  readonly height: (picture: Picture, box: number, dimension: Dimension) => number;
}

/** Makes the painter of a network; `marks` are by item. */
export function createPainter(network: Network, marks: ArrayLike<number> | null): Painter {
  const made = new Map<string, Colouring>();
  const inside = marks ? markedInside(network, marks) : null;
  const marked = (item: Item, open: boolean): Mark => {
    const own = (marks?.[item] ?? 0) as Mark;
    return own === 0 && !open && inside?.[item] === 1 ? 3 : own;
  };
  let last: {
    picture: Picture;
    by: ColourBy;
    theme: string;
    over: Colouring | null;
    paint: Paint;
  } | null = null;
  let over: Colouring | null = null;

  function colouring(by: ColourBy, theme: "light" | "dark"): Colouring {
    const key = `${by} ${theme}`;
    const known = made.get(key);
    if (known) return known;
    const found =
      by === "category" ? colourByCategory(network, theme) : colourByQuantity(network, by, theme);
    made.set(key, found);
    return found;
  }

  return {
    colouring,
    legend: (by, theme) => (over ?? colouring(by, theme)).legend,
    cover: (colouring) => {
      over = colouring;
    },
    paint: (picture, state, theme, lit, shown) => {
      const changing = {
        lit,
        selected: state.selected === null ? null : shown(state.selected),
        hovered: state.hovered === null ? null : shown(state.hovered),
      };
      const by = state.colourBy;
      if (
        last?.picture === picture &&
        last.by === by &&
        last.theme === theme &&
        last.over === over
      ) {
        return { ...last.paint, ...changing };
      }
      const { fill, line } = over ?? colouring(by, theme);
      const { item, open, depth } = picture.boxes;
      const colours = COLOURS[theme];
      const { scopes, scopeLine } = colours;
      const paint: Paint = {
        ...changing,
        colours,
        fill: (box) =>
          open[box] === 1 ? scopes[(Math.max(1, depth[box]) - 1) % scopes.length] : fill(item[box]),
        line: (box) => (open[box] === 1 ? scopeLine : line(item[box])),
        ...(marks ? { mark: (box: number) => marked(item[box], open[box] === 1) } : {}),
      };
      last = { picture, by, theme, over, paint };
      return paint;
    },
    height: (picture, box, dimension) => {
      const item = picture.boxes.item[box];
      if (dimension === "nesting") return network.depth[item];
      const bytes = network.specs[network.gives[item]]?.bytes ?? 0;
      return bytes > 0 ? Math.min(1, Math.log2(1 + bytes) / 32) : 0;
    },
  };
}

/** Which scopes hold something that is marked, so that they are marked while they are closed. */
function markedInside({ order, parent }: Network, marks: ArrayLike<number>): Uint8Array {
  const inside = new Uint8Array(marks.length);
  for (let at = order.length - 1; at > 0; at -= 1) {
    const item = order[at];
    if (marks[item] !== 0 || inside[item] === 1) inside[parent[item]] = 1;
  }
  return inside;
}
