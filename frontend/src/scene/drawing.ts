/** A picture on the graphics card: its boxes and wires, their colours, and how they move. */

import { Group } from "three";
import {
  type BoxMaterials,
  type BoxSet,
  DIMMED,
  FILL,
  HEAD,
  HOVERED,
  LINE,
  makeBoxSet,
  OPEN,
  SELECTED,
  STATE,
  writeColour,
  writeInsets,
  writePlace,
} from "./boxes";
import { mixed } from "./colour";
import {
  boxShowing,
  type Motion,
  type Places,
  placesOf,
  type Scenery,
  VANISHES,
  type WireMotion,
} from "./motion";
import { insetsOf } from "./nest";
import type { Paint } from "./stage";
import {
  FADED,
  makeWireSet,
  PLAIN,
  setLook,
  TOUCHED,
  thickness,
  type WireMaterials,
  type WireSet,
} from "./wires";

/** Base and top of each box above the ground, those that leave last, and of each wire. */
export interface Heights {
  readonly base: Float32Array;
  readonly top: Float32Array;
  readonly wire: Float32Array;
}

/** A picture on the card. */
export interface Drawing {
  readonly group: Group;
  readonly scenery: Scenery;
  /** Where boxes come from; the same as `to` when nothing moves. */
  readonly from: Places;
  readonly to: Places;
  readonly presence: Uint8Array | null;
  /** Colours the boxes; only what differs from `before` if that is given. */
  readonly paint: (paint: Paint, before: Paint | null) => void;
  readonly raise: (from: Heights, to: Heights) => void;
  /** Draws bodies instead of sheets of paper. */
  readonly setSolid: (solid: boolean) => void;
  /** Drops what has left the picture once all is in its place. */
  readonly settle: () => void;
  /** Leaves out the scopes that an open one hides, which is all that is in view; -1 for none. */
  readonly drawFrom: (box: number) => void;
  /** Colour of a box as it is drawn. */
  readonly fillOf: (box: number) => number;
  readonly isDimmed: (box: number) => boolean;
  readonly dispose: () => void;
  /** Wires at each box. */
  readonly wiresAt: { readonly start: Int32Array; readonly values: Int32Array };
  /** The colours of a box, for the picture that follows. */
  readonly sets: readonly [closed: BoxSet, open: BoxSet];
  readonly slot: Int32Array;
}

/** What was there before, for a picture that follows another. */
export interface Before {
  readonly drawing: Drawing;
  readonly places: Places;
  readonly motion: Motion;
  readonly wires: WireMotion;
}

/** Puts a picture on the card. */
export function makeDrawing(
  boxMaterials: readonly [closed: BoxMaterials, open: BoxMaterials],
  wireMaterials: WireMaterials,
  scenery: Scenery,
  before: Before | null,
): Drawing {
  const { picture, nest, curves } = scenery;
  const insets = insetsOf(picture, nest);
  const { boxes, wires } = picture;
  const count = boxes.item.length;
  const to = placesOf(picture);
  const from = before?.motion.from ?? to;
  const presence = before?.motion.presence ?? null;
  const ghosts = before?.motion.ghosts ?? null;
  const was = before?.drawing.scenery.picture.boxes ?? null;

  // Closed boxes (0) and open ones (1) are in sets of their own, since wires lie between them.
  const slot = new Int32Array(count);
  const size = [0, 0];
  for (let box = 0; box < count; box++) slot[box] = size[boxes.open[box]]++;
  const settled = [size[0], size[1]];
  if (ghosts !== null && was !== null) for (const box of ghosts.boxes) size[was.open[box]]++;
  const sets = [
    makeBoxSet(boxMaterials[0], size[0], 3),
    makeBoxSet(boxMaterials[1], size[1], 0),
  ] as const;
  for (let box = 0; box < count; box++) {
    const set = sets[boxes.open[box]];
    writePlace(set, slot[box], from, box, to, box);
    const around = boxes.open[box] === 1 ? nest.parent[box] : -1;
    writeInsets(set, slot[box], around < 0 ? -1 : insets[around], insets[box]);
    const state = 16 * slot[box] + 4 * STATE;
    set.looks.array[state + 1] = boxes.open[box] === 1 ? 1 : Math.min(boxes.repeat[box], 3);
    set.looks.array[state + 3] = presence === null ? 0 : presence[box];
  }
  const ghostSlots: [BoxSet, number][] = [];
  if (before !== null && ghosts !== null && was !== null) {
    const next = [settled[0], settled[1]];
    for (let i = 0; i < ghosts.boxes.length; i++) {
      const box = ghosts.boxes[i];
      const set = sets[was.open[box]];
      const at = next[was.open[box]]++;
      ghostSlots.push([set, at]);
      writePlace(set, at, before.places, box, ghosts.to, i);
      writeInsets(set, at, -1, 0);
      const old = 16 * before.drawing.slot[box];
      const { array } = before.drawing.sets[was.open[box]].looks;
      set.looks.array.set(array.subarray(old, old + 16), 16 * at);
      set.looks.array[16 * at + 4 * STATE + 3] = VANISHES;
    }
  }

  const wireCount = wires.source.length;
  const sourceBox = new Int32Array(wireCount);
  const targetBox = new Int32Array(wireCount);
  const width = new Uint8Array(wireCount);
  const arrow = new Uint8Array(wireCount);
  for (let wire = 0; wire < wireCount; wire++) {
    sourceBox[wire] = boxShowing(picture, wires.source[wire]);
    targetBox[wire] = boxShowing(picture, wires.target[wire]);
    width[wire] = thickness(wires.bytes[wire]);
    const target = targetBox[wire];
    arrow[wire] = target >= 0 && boxes.open[target] === 0 ? 1 : 0;
  }
  const wireSet: WireSet = makeWireSet(
    wireMaterials,
    {
      start: curves.start,
      x: curves.x,
      y: curves.y,
      fromX: before?.wires.x ?? curves.x,
      fromY: before?.wires.y ?? curves.y,
      width,
      presence: before?.wires.presence ?? new Uint8Array(wireCount),
      arrow,
    },
    1,
  );
  const wiresAt = wiresByBox(count, sourceBox, targetBox);

  const group = new Group();
  for (const set of sets) group.add(set.flat, set.solid);
  group.add(wireSet.ribbons, wireSet.heads);

  const setState = (box: number, bit: number, on: boolean) => {
    const { looks } = sets[boxes.open[box]];
    const row = 4 * slot[box] + STATE;
    if (on) looks.array[4 * row] |= bit;
    else looks.array[4 * row] &= ~bit;
    looks.touch(row);
  };

  /** Wires at a box, and on beyond the borders of open scopes. */
  const wiresThrough = (item: number | null): Set<number> => {
    const found = new Set<number>();
    const box = item === null ? -1 : boxShowing(picture, item);
    if (box < 0) return found;
    const ahead: { wire: number; at: number }[] = [];
    const visit = (wire: number, at: number) => {
      if (found.has(wire) || found.size > 400) return;
      found.add(wire);
      ahead.push({ wire, at });
    };
    for (let i = wiresAt.start[box]; i < wiresAt.start[box + 1]; i++) {
      visit(wiresAt.values[i], box);
    }
    while (ahead.length > 0) {
      const { wire, at } = ahead.pop() as { wire: number; at: number };
      const other = sourceBox[wire] === at ? targetBox[wire] : sourceBox[wire];
      if (other < 0 || boxes.open[other] === 0) continue;
      for (let i = wiresAt.start[other]; i < wiresAt.start[other + 1]; i++) {
        const next = wiresAt.values[i];
        if (wires.edge[next] === wires.edge[wire]) visit(next, other);
      }
    }
    return found;
  };

  let accented = new Set<number>();
  /** Colours the wires: all of them, or those at what is or was pointed at or selected. */
  const paintWires = (paint: Paint, all: boolean) => {
    const now = wiresThrough(paint.hovered);
    for (const wire of wiresThrough(paint.selected)) now.add(wire);
    const lookOf = (wire: number) => {
      if (now.has(wire)) return TOUCHED;
      const { lit } = paint;
      if (lit === null) return PLAIN;
      return lit.has(wires.source[wire]) && lit.has(wires.target[wire]) ? PLAIN : FADED;
    };
    if (all) {
      for (let wire = 0; wire < wireCount; wire++)
        setLook(wireSet, curves.start, wire, lookOf(wire));
      wireSet.style.touch();
      wireSet.headStyle.touch();
    } else {
      for (const wire of [...accented, ...now]) {
        if (!setLook(wireSet, curves.start, wire, lookOf(wire))) continue;
        const first = curves.start[wire];
        wireSet.style.touch(first, curves.start[wire + 1] - first);
        wireSet.headStyle.touch(wire);
      }
    }
    accented = now;
  };

  const paintAll = (paint: Paint) => {
    const { colours, lit } = paint;
    const scopes = colours.scopes.length === 0 ? [colours.ground] : colours.scopes;
    for (let box = 0; box < count; box++) {
      const item = boxes.item[box];
      const set = sets[boxes.open[box]];
      const at = slot[box];
      if (boxes.open[box] === 1) {
        const sheet = scopes[(Math.max(boxes.depth[box], 1) - 1) % scopes.length];
        writeColour(set, at, FILL, sheet, 255);
        writeColour(set, at, LINE, colours.scopeLine, 255);
        writeColour(set, at, HEAD, mixed(sheet, paint.fill(box), 0.55), 255);
      } else {
        writeColour(set, at, FILL, paint.fill(box), 255);
        writeColour(set, at, LINE, paint.line(box), 255);
      }
      const state = 16 * at + 4 * STATE;
      set.looks.array[state] =
        (boxes.open[box] === 1 ? OPEN : 0) |
        (item === paint.selected ? SELECTED : 0) |
        (item === paint.hovered ? HOVERED : 0) |
        (lit === null || lit.has(item) ? 0 : DIMMED);
      set.looks.array[state + 2] = paint.mark?.(box) ?? 0;
    }
    for (const set of sets) set.looks.touch();
  };

  return {
    group,
    scenery,
    from,
    to,
    presence,
    sets,
    slot,
    wiresAt,
    paint: (paint, last) => {
      const all =
        last === null ||
        last.fill !== paint.fill ||
        last.line !== paint.line ||
        last.mark !== paint.mark ||
        last.lit !== paint.lit ||
        last.colours !== paint.colours;
      if (all) paintAll(paint);
      else {
        for (const [bit, old, now] of [
          [SELECTED, last.selected, paint.selected],
          [HOVERED, last.hovered, paint.hovered],
        ] as const) {
          if (old === now) continue;
          const oldBox = old === null ? -1 : boxShowing(picture, old);
          const box = now === null ? -1 : boxShowing(picture, now);
          if (oldBox >= 0) setState(oldBox, bit, false);
          if (box >= 0) setState(box, bit, true);
        }
      }
      if (all || last.selected !== paint.selected || last.hovered !== paint.hovered) {
        paintWires(paint, all);
      }
    },
    raise: (low, high) => {
      for (const [open, set] of sets.entries()) set.heights.resize(size[open]);
      const write = ({ heights: { array } }: BoxSet, row: number, box: number) => {
        array[4 * row] = low.base[box];
        array[4 * row + 1] = low.top[box];
        array[4 * row + 2] = high.base[box];
        array[4 * row + 3] = high.top[box];
      };
      for (let box = 0; box < count; box++) write(sets[boxes.open[box]], slot[box], box);
      const ghostsTold = Math.min(ghostSlots.length, high.top.length - count);
      for (let i = 0; i < ghostsTold; i++) write(...ghostSlots[i], count + i);
      for (const set of sets) set.heights.touch();
      wireSet.raise(curves.start, low.wire, high.wire);
    },
    setSolid: (solid) => {
      for (const set of sets) {
        set.flat.visible = !solid;
        set.solid.visible = solid;
      }
    },
    settle: () => {
      sets.forEach((set, open) => {
        set.setCount(settled[open]);
      });
    },
    drawFrom: (box) => sets[1].setFirst(box < 0 ? 0 : slot[box]),
    fillOf: (box) => {
      const { array } = sets[boxes.open[box]].looks;
      const at = 16 * slot[box] + 4 * (boxes.open[box] === 1 ? HEAD : FILL);
      return (array[at] << 16) | (array[at + 1] << 8) | array[at + 2];
    },
    isDimmed: (box) => {
      const { array } = sets[boxes.open[box]].looks;
      return (array[16 * slot[box] + 4 * STATE] & DIMMED) !== 0;
    },
    dispose: () => {
      for (const set of sets) set.dispose();
      wireSet.dispose();
    },
  };
}

/** Wires that begin or end at each box. */
function wiresByBox(
  count: number,
  source: Int32Array,
  target: Int32Array,
): { readonly start: Int32Array; readonly values: Int32Array } {
  const start = new Int32Array(count + 1);
  for (let wire = 0; wire < source.length; wire++) {
    if (source[wire] >= 0) start[source[wire] + 1]++;
    if (target[wire] >= 0 && target[wire] !== source[wire]) start[target[wire] + 1]++;
  }
  for (let box = 0; box < count; box++) start[box + 1] += start[box];
  const next = start.slice();
  const values = new Int32Array(start[count]);
  for (let wire = 0; wire < source.length; wire++) {
    if (source[wire] >= 0) values[next[source[wire]]++] = wire;
    if (target[wire] >= 0 && target[wire] !== source[wire]) values[next[target[wire]]++] = wire;
  }
  return { start, values };
}
