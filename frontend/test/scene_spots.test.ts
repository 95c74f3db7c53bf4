import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textWidth } from "../src/graph/caption";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import { HEADER, type Outline, type Picture } from "../src/layout/picture";
import { overlaps, type Rect } from "../src/scene/camera";
import { curvesOf } from "../src/scene/curve";
import type { Scenery } from "../src/scene/motion";
import { nestOf } from "../src/scene/nest";
import { obstaclesOf, roomAmong } from "../src/scene/obstacles";
import { type Spot, spotsOf } from "../src/scene/spots";
import { flat, networks, openings } from "./layout_networks";

const SIZE = 9.5;

function sceneryOf(picture: Picture): Scenery {
  return { picture, nest: nestOf(picture), curves: curvesOf(picture.wires) };
}

function open(outline: Outline): Picture {
  const all = Array.from({ length: outline.scopes }, (_, at) => outline.nodes + at);
  return layOut(outline, { open: new Set(all), unfolded: new Set(), aspect: 1.6 }, emptyMemo());
}

function written(scenery: Scenery, label: (wire: number) => string): (Spot | null)[] {
  const spots = spotsOf(scenery, roomAmong(obstaclesOf(scenery)), label, textWidth, SIZE);
  return Array.from(scenery.picture.wires.source, (_, wire) => spots.of(wire));
}

function rectOf(spot: Spot): Rect {
  const width = textWidth(spot.text, SIZE);
  const x = spot.align === "left" ? spot.x : spot.x - width;
  return { x, y: spot.y - SIZE / 2, width, height: SIZE };
}

describe("texts on wires", () => {
  test("lie on no box, border, wire or other text, in any network", () => {
    const cases = networks().chain((outline) =>
      openings(outline).map((opening) => layOut(outline, opening, emptyMemo())),
    );
    fc.assert(
      fc.property(cases, (picture) => {
        const scenery = sceneryOf(picture);
        const { boxes } = picture;
        const { start, x, y } = scenery.curves;
        const found = written(scenery, (wire) => `1×${wire}×768 float32 +2`).filter(
          (spot) => spot !== null,
        );
        let onBoxes = 0;
        let onWires = 0;
        let onTexts = 0;
        found.forEach((spot, at) => {
          const rect = rectOf(spot);
          const right = rect.x + rect.width;
          const bottom = rect.y + rect.height;
          for (const other of found.slice(0, at)) if (overlaps(rectOf(other), rect)) onTexts++;
          for (let box = 0; box < boxes.item.length; box++) {
            const [left, top] = [boxes.x[box], boxes.y[box]];
            const [width, height] = [boxes.width[box], boxes.height[box]];
            const across = rect.x >= left && right <= left + width;
            const down = rect.y >= top + HEADER && bottom <= top + height;
            if (boxes.open[box] === 1 && across && down) continue;
            if (overlaps({ x: left, y: top, width, height }, rect)) onBoxes++;
          }
          for (let wire = 0; wire < start.length - 1; wire++) {
            for (let i = start[wire]; i < start[wire + 1] - 1; i++) {
              for (let t = 0; t <= 1; t += 0.25) {
                const px = x[i] + (x[i + 1] - x[i]) * t;
                const py = y[i] + (y[i + 1] - y[i]) * t;
                if (px > rect.x && px < right && py > rect.y && py < bottom) onWires++;
              }
            }
          }
        });
        expect({ onBoxes, onWires, onTexts }).toEqual({ onBoxes: 0, onWires: 0, onTexts: 0 });
      }),
      { numRuns: 60 },
    );
  });

  test("stand beside each wire of a chain, all in line", () => {
    const edges = [[0, 1], [1, 2], [2, 3]] as const; // biome-ignore format: pairs
    const found = written(sceneryOf(open(flat(4, edges))), (wire) => `1×${wire} float32`);
    expect(found.map((spot) => spot?.text)).toEqual(["1×0 float32", "1×1 float32", "1×2 float32"]);
    expect(new Set(found.map((spot) => spot?.x)).size).toBe(1);
  });

  test("leave out the dtype, then all, where there is less and less room", () => {
    const edges = [[0, 1], [1, 2]] as const; // biome-ignore format: pairs
    const outline = flat(3, edges, 90);
    const scenery = sceneryOf(open(outline));
    const words = { short: "1×64×56×56", dtype: "float32" };
    const beside = (text: string) => textWidth(text, SIZE) + 24;
    const walled = (room: number) => {
      const taken = roomAmong(obstaclesOf(scenery));
      const middle = scenery.curves.x[0];
      for (const x of [middle - room - 500, middle + room]) {
        taken.take({ x, y: 0, width: 500, height: 500 });
      }
      const label = () => `${words.short} ${words.dtype} +1`;
      return spotsOf(scenery, taken, label, textWidth, SIZE).of(0)?.text;
    };
    expect(walled(1000)).toBe("1×64×56×56 float32 +1");
    expect(walled(beside(`${words.short} +1`))).toBe("1×64×56×56 +1");
    expect(walled(20)).toBe(undefined);
  });

  test("say what runs to several boxes once", () => {
    const edges = [[0, 1], [1, 2], [0, 2]] as const; // biome-ignore format: pairs
    const scenery = sceneryOf(open(flat(3, edges)));
    const count = (found: (Spot | null)[]) => found.filter((spot) => spot !== null).length;
    expect(count(written(scenery, () => "1×64"))).toBe(2);
    expect(count(written(scenery, (wire) => `1×${wire}`))).toBe(3);
  });

  test("are found in a picture of thousands of long wires without looking at each cell", () => {
    const edges: [number, number][] = [];
    for (let at = 1; at < 3000; at++) edges.push([at - 1, at], [0, at]);
    const scenery = sceneryOf(open(flat(3000, edges)));
    const found = written(scenery, (wire) => `1×${wire}`);
    expect(found.some((spot) => spot !== null)).toBe(true);
  });
});
