/** What is written on wires: shapes and dtypes, where one looks closely and there is room. */

import type { Atlas } from "./atlas";
import { mixed } from "./colour";
import type { LabelSet } from "./labels";
import { place, type Situation } from "./lettering";
import { boxShowing, type Scenery, scopeOfWire } from "./motion";
import { eachIn } from "./nest";
import { obstaclesOf, roomAmong } from "./obstacles";
import { type Spots, spotsOf } from "./spots";

/** Height of letters at zoom 1, and the least and most on the screen. */
const SIZE = 9.5;
const LEAST = 8.5;
const LARGEST = 26;
/** Texts on wires at most. */
const MOST = 260;

/** The texts on the wires of one picture. */
export interface Notes {
  /** Writes those that are in view; while boxes move there are none. */
  readonly write: (labels: LabelSet, now: Situation) => void;
}

/** Makes the texts on wires; where they have room is found out when they first come into view. */
export function makeNotes(
  scenery: Scenery,
  atlas: Atlas,
  wireLabel: (wire: number) => string,
): Notes {
  const { picture, nest } = scenery;
  const { boxes, wires } = picture;
  const obstacles = obstaclesOf(scenery);
  let known: { readonly size: number; readonly spots: Spots } | null = null;

  /** Spots for letters as high as that on the picture, or a little higher. */
  const spotsFor = (height: number): Spots => {
    const size = Math.ceil(height * 2) / 2;
    if (known?.size !== size) {
      const measure = (text: string, pixels: number) => atlas.measure(text, pixels, false);
      known = { size, spots: spotsOf(scenery, roomAmong(obstacles), wireLabel, measure, size) };
    }
    return known.spots;
  };

  return {
    write: (labels, now) => {
      if (now.moved < 1) return;
      const { drawing, camera, ratio, paint, view } = now;
      const { colours, lit } = paint;
      const size = Math.min(Math.max(SIZE * camera.zoom, LEAST), LARGEST);
      const spots = spotsFor(size / camera.zoom);
      const ink = mixed(colours.faint, colours.text, 0.15);
      const seen = new Set<number>();
      let left = MOST;
      const near = (item: number | null, wire: number) =>
        item !== null && (item === wires.source[wire] || item === wires.target[wire]);
      const isDim = (wire: number) =>
        lit !== null &&
        !near(paint.selected, wire) &&
        !near(paint.hovered, wire) &&
        !(lit.has(wires.source[wire]) && lit.has(wires.target[wire]));
      eachIn(picture, nest, view, 18 / camera.zoom, (box) => {
        const { start, values } = drawing.wiresAt;
        for (let i = start[box]; i < start[box + 1] && left > 0; i++) {
          const wire = values[i];
          if (seen.has(wire)) continue;
          seen.add(wire);
          const spot = spots.of(wire);
          if (spot === null || spot.x < view.x || spot.x > view.x + view.width) continue;
          if (spot.y < view.y || spot.y > view.y + view.height) continue;
          left--;
          const scope = scopeOfWire(
            nest,
            boxShowing(picture, wires.source[wire]),
            boxShowing(picture, wires.target[wire]),
          );
          const sheets = colours.scopes;
          const ground =
            scope >= 0 && sheets.length > 0
              ? sheets[(Math.max(boxes.depth[scope], 1) - 1) % sheets.length]
              : colours.ground;
          const z = scope >= 0 ? now.top(scope) : 0;
          const look = { inkAlpha: 1, plate: 0, plateAlpha: 0, room: 0 };
          place(labels, atlas, now, -1, spot.text, false, Math.round(size * ratio), spot, z, {
            ...look,
            ink: isDim(wire) ? mixed(ink, ground, 0.7) : ink,
          });
        }
      });
    },
  };
}
