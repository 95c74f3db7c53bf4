import { describe, expect, test } from "vitest";
import type { Picture } from "../src/layout/picture";
import type { Rect } from "../src/scene/camera";
import { inView, makeEyes, progress, showing, tilting } from "../src/scene/eyes";
import { heightsOf, topMost } from "../src/scene/heights";
import { boxUnder, rectAround, rectOn, shiftOf, signUnder } from "../src/scene/hits";
import { placesOf, type Scenery } from "../src/scene/motion";
import { nestOf } from "../src/scene/nest";
import { FIRST_ORBIT, fittingTilted, seenAt } from "../src/scene/orbit";

/** An open scope (item 2) around items 0 and 1, beside a closed scope (item 3). */
const picture: Picture = {
  width: 400,
  height: 300,
  boxes: {
    item: Int32Array.from([2, 0, 1, 3]),
    x: Float64Array.from([0, 20, 20, 250]),
    y: Float64Array.from([0, 40, 150, 40]),
    width: Float32Array.from([200, 120, 120, 120]),
    height: Float32Array.from([300, 44, 44, 44]),
    depth: Int32Array.from([1, 2, 2, 1]),
    open: Uint8Array.from([1, 0, 0, 0]),
    repeat: Int32Array.from([1, 1, 1, 1]),
  },
  wires: {
    source: new Int32Array(0),
    target: new Int32Array(0),
    edge: new Int32Array(0),
    values: new Int32Array(0),
    bytes: new Float64Array(0),
    start: new Int32Array(1),
    x: new Float64Array(0),
    y: new Float64Array(0),
  },
  boxOf: Int32Array.from([1, 2, 0, 3]),
};
const scenery: Scenery = {
  picture,
  nest: nestOf(picture),
  curves: { start: new Int32Array(1), x: new Float64Array(0), y: new Float64Array(0) },
};
const screen = { width: 800, height: 600 };
const flat = {
  camera: { x: 200, y: 150, zoom: 1 },
  screen,
  orbit: { amount: 0, ...FIRST_ORBIT },
};
const solid = { ...flat, orbit: { amount: 1, ...FIRST_ORBIT } };
const middle = ({ x, y, width, height }: Rect) => ({ x: x + width / 2, y: y + height / 2 });

describe("hits", () => {
  test("each box is found in the middle of where it is, flat and tilted", () => {
    const { top } = heightsOf(scenery, "nesting", () => 0);
    const highest = topMost({ base: top, top, wire: top });
    for (const [sight, height] of [
      [flat, () => 0],
      [solid, (box: number) => top[box]],
    ] as const) {
      for (const item of [0, 1, 3]) {
        const box = picture.boxOf[item];
        const rect = rectOn(picture, item, sight, height(box)) as Rect;
        expect(boxUnder(scenery, sight, middle(rect), height, highest)).toBe(box);
      }
    }
    expect(boxUnder(scenery, flat, { x: 1, y: 1 }, () => 0, 0)).toBe(-1);
  });

  test("signs are hit, also over the border of a closed scope", () => {
    const at = (x: number, y: number) => ({ x: x - 200 + 400, y: y - 150 + 300 });
    const isScope = (item: number) => item >= 2;
    expect(signUnder(scenery, flat, at(15, 13), isScope)).toBe(2);
    expect(signUnder(scenery, flat, at(368, 62), isScope)).toBe(3);
    expect(signUnder(scenery, flat, at(374, 62), isScope)).toBe(3);
    expect(signUnder(scenery, flat, at(138, 62), isScope)).toBe(null);
    expect(signUnder(scenery, flat, at(300, 62), isScope)).toBe(null);
    expect(signUnder(scenery, solid, at(15, 13), isScope)).toBe(null);
  });

  test("the rectangle around items", () => {
    expect(rectAround(picture, null)).toEqual({ x: 0, y: 0, width: 400, height: 300 });
    expect(rectAround(picture, [0, 3])).toEqual({ x: 20, y: 40, width: 350, height: 44 });
    expect(rectAround(picture, [99])).toBe(null);
  });

  test("an anchor shifts by the middle of its upper edge", () => {
    const places = placesOf(picture);
    const view = { x: 0, y: 0, width: 400, height: 300 };
    expect(shiftOf(3, picture, places, picture, view)).toEqual({ x: 0, y: 0 });
    places[12] -= 30;
    places[13] -= 40;
    expect(shiftOf(3, picture, places, picture, view)).toEqual({ x: 30, y: 40 });
    expect(shiftOf(99, picture, places, picture, view)).toBe(null);
    expect(shiftOf(3, picture, places, picture, { ...view, x: 5000 })).toBe(null);
  });
});

describe("eyes", () => {
  test("a flight arrives, and says where it goes", () => {
    const eyes = makeEyes();
    eyes.setScreen(screen);
    eyes.flyTo({ x: 900, y: 50, zoom: 2 });
    expect(eyes.goal()).toEqual({ x: 900, y: 50, zoom: 2 });
    expect(eyes.sight().camera.x).toBe(0);
    expect(eyes.tick(performance.now() + 10)).toBe(true);
    expect(eyes.tick(performance.now() + 5000)).toBe(false);
    expect(eyes.sight().camera).toEqual({ x: 900, y: 50, zoom: 2 });
  });

  test("a hand on the camera ends a flight", () => {
    const eyes = makeEyes();
    eyes.flyTo({ x: 900, y: 50, zoom: 2 });
    eyes.put({ x: 1, y: 2, zoom: 1 });
    expect(eyes.tick(performance.now() + 100)).toBe(false);
    expect(eyes.sight().camera).toEqual({ x: 1, y: 2, zoom: 1 });
  });

  test("3D and back leaves the camera as close as it was", () => {
    const eyes = makeEyes();
    eyes.setScreen(screen);
    eyes.put(flat.camera);
    const part = inView(eyes.sight(), picture);
    eyes.tilt(true, part, 20, tilting(true));
    expect(eyes.isTilting()).toBe(true);
    eyes.tick(performance.now() + 100);
    expect(eyes.sight().orbit.amount).toBe(1);
    eyes.turn(40, -2000);
    expect(eyes.sight().orbit.tilt).toBeLessThan(Math.PI / 2);
    eyes.tilt(false, part, 0, tilting(true));
    eyes.tick(performance.now() + 100);
    expect(eyes.sight().orbit.amount).toBe(0);
    expect(eyes.sight().camera).toEqual(flat.camera);
  });

  test("3D and back from elsewhere stays there, as close as before", () => {
    const eyes = makeEyes();
    eyes.setScreen(screen);
    eyes.put(flat.camera);
    eyes.tilt(true, inView(eyes.sight(), picture), 20, tilting(true));
    eyes.tick(performance.now() + 100);
    eyes.put({ ...eyes.sight().camera, x: 77 });
    eyes.tilt(false, inView(eyes.sight(), picture), 0, tilting(true));
    eyes.tick(performance.now() + 100);
    expect(eyes.sight().camera.x).toBe(77);
    expect(eyes.sight().camera.zoom).toBeCloseTo(flat.camera.zoom, 6);
  });

  test("what is fitted when tilted is on the canvas", () => {
    const rect = { x: 0, y: 0, width: 400, height: 300 };
    const camera = fittingTilted(rect, screen, solid.orbit, 40);
    for (const x of [0, 400]) {
      for (const y of [0, 300]) {
        for (const z of [0, 40]) {
          const seen = seenAt(camera, screen, solid.orbit, x, y, z);
          expect(seen.x).toBeGreaterThan(0);
          expect(seen.x).toBeLessThan(800);
          expect(seen.y).toBeGreaterThan(0);
          expect(seen.y).toBeLessThan(600);
        }
      }
    }
    expect(showing(rect, flat).x).toBe(200);
  });

  test("nothing in view is all in view", () => {
    const away = { ...flat, camera: { x: 9e6, y: 0, zoom: 1 } };
    expect(inView(away, picture)).toEqual({ x: 0, y: 0, width: 400, height: 300 });
    expect(inView(flat, picture)).toEqual({ x: 0, y: 0, width: 400, height: 300 });
  });

  test("progress ends at one", () => {
    expect(progress(null, 5)).toBe(1);
    expect(progress({ begun: 100, lasts: 50 }, 100)).toBe(0);
    expect(progress({ begun: 100, lasts: 50 }, 175)).toBe(1);
  });
});
