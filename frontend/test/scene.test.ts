import fc from "fast-check";
import { Matrix4, Vector4 } from "three";
import { describe, expect, test } from "vitest";
import type { Picture } from "../src/layout/picture";
import {
  eased,
  fitting,
  flight,
  kept,
  overlaps,
  toPicture,
  toScreen,
  viewOf,
  zoomedAt,
} from "../src/scene/camera";
import { contrast, hex, inkOn, luminance, mixed } from "../src/scene/colour";
import { curvesOf, lengthOf, pathOf, pointAt } from "../src/scene/curve";
import { heightMotion, heightsBetween, heightsOf } from "../src/scene/heights";
import { legible } from "../src/scene/legible";
import {
  APPEARS,
  boxesSeen,
  motionOf,
  NEW,
  placesBetween,
  placesOf,
  type Scenery,
  wireMotion,
} from "../src/scene/motion";
import { boxAt, eachIn, insetsOf, nestOf, scopeAround } from "../src/scene/nest";
import { project, seenAt, under } from "../src/scene/orbit";
import { imageSize } from "../src/scene/png";
import { makeSpace, STEPS, setEye, stepped } from "../src/scene/space";
import { thickness } from "../src/scene/wires";

const screen = { width: 800, height: 600 };
const cameras = fc.record({
  x: fc.double({ min: -1e6, max: 6e6, noNaN: true }),
  y: fc.double({ min: -1e6, max: 6e6, noNaN: true }),
  zoom: fc.double({ min: 0.001, max: 6, noNaN: true }),
});
const points = fc.record({
  x: fc.double({ min: 0, max: 800, noNaN: true }),
  y: fc.double({ min: 0, max: 600, noNaN: true }),
});

interface Spec {
  readonly item: number;
  readonly at: readonly [x: number, y: number, width: number, height: number];
  readonly depth: number;
  readonly open?: boolean;
  readonly repeat?: number;
}

/** A picture of given boxes, and wires as [source, target, …points]. */
function pictureOf(specs: readonly Spec[], wires: readonly number[][] = []): Picture {
  const most = Math.max(-1, ...specs.map((spec) => spec.item)) + 1;
  const boxOf = new Int32Array(Math.max(most, 5)).fill(-1);
  specs.forEach((spec, box) => {
    boxOf[spec.item] = box;
  });
  const start = [0];
  for (const wire of wires) start.push(start[start.length - 1] + (wire.length - 2) / 2);
  const numbers = wires.flatMap((wire) => wire.slice(2));
  return {
    width: Math.max(1, ...specs.map(({ at }) => at[0] + at[2])),
    height: Math.max(1, ...specs.map(({ at }) => at[1] + at[3])),
    boxes: {
      item: Int32Array.from(specs, (spec) => spec.item),
      x: Float64Array.from(specs, ({ at }) => at[0]),
      y: Float64Array.from(specs, ({ at }) => at[1]),
      width: Float32Array.from(specs, ({ at }) => at[2]),
      height: Float32Array.from(specs, ({ at }) => at[3]),
      depth: Int32Array.from(specs, (spec) => spec.depth),
      open: Uint8Array.from(specs, (spec) => (spec.open === true ? 1 : 0)),
      repeat: Int32Array.from(specs, (spec) => spec.repeat ?? 1),
    },
    wires: {
      source: Int32Array.from(wires, (wire) => wire[0]),
      target: Int32Array.from(wires, (wire) => wire[1]),
      edge: Int32Array.from(wires, (_, i) => i),
      values: new Int32Array(wires.length).fill(1),
      bytes: new Float64Array(wires.length).fill(4096),
      start: Int32Array.from(start),
      x: Float64Array.from(numbers.filter((_, i) => i % 2 === 0)),
      y: Float64Array.from(numbers.filter((_, i) => i % 2 === 1)),
    },
    boxOf,
  };
}

function sceneryOf(picture: Picture): Scenery {
  return { picture, nest: nestOf(picture), curves: curvesOf(picture.wires) };
}

/** A closed box over an open scope (item 2) of two boxes, and one box below. */
const open = pictureOf(
  [
    { item: 0, at: [20, 0, 100, 44], depth: 1 },
    { item: 2, at: [0, 70, 240, 200], depth: 1, open: true },
    { item: 3, at: [20, 110, 100, 44], depth: 2 },
    { item: 4, at: [20, 200, 100, 24], depth: 2 },
    { item: 1, at: [20, 300, 100, 44], depth: 1, repeat: 5 },
  ],
  [
    [0, 2, 70, 44, 70, 70],
    [2, 3, 70, 70, 70, 110],
    [3, 4, 70, 154, 90, 200],
  ],
);
const closed = pictureOf(
  [
    { item: 0, at: [20, 0, 100, 44], depth: 1 },
    { item: 2, at: [0, 70, 160, 44], depth: 1 },
    { item: 1, at: [20, 140, 100, 44], depth: 1, repeat: 5 },
  ],
  [[0, 2, 70, 44, 70, 70]],
);

describe("camera", () => {
  test("screen and picture are each other's inverse", () => {
    fc.assert(
      fc.property(cameras, points, (camera, point) => {
        const there = toPicture(camera, screen, point.x, point.y);
        const back = toScreen(camera, screen, there.x, there.y);
        expect(back.x).toBeCloseTo(point.x, 4);
        expect(back.y).toBeCloseTo(point.y, 4);
      }),
    );
  });

  test("zooming keeps the point under the pointer, and the limits", () => {
    fc.assert(
      fc.property(
        cameras,
        points,
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        (camera, at, by) => {
          const before = toPicture(camera, screen, at.x, at.y);
          const zoomed = zoomedAt(camera, screen, at, by, 0.001);
          const after = toPicture(zoomed, screen, at.x, at.y);
          expect(Math.abs(after.x - before.x) * zoomed.zoom).toBeLessThan(0.01);
          expect(Math.abs(after.y - before.y) * zoomed.zoom).toBeLessThan(0.01);
          expect(zoomed.zoom).toBeLessThanOrEqual(6);
        },
      ),
    );
  });

  test("what is fitted is in view", () => {
    const rect = { x: 100, y: -50, width: 5000, height: 300 };
    const view = viewOf(fitting(rect, screen), screen);
    expect(view.x).toBeLessThan(rect.x);
    expect(view.x + view.width).toBeGreaterThan(rect.x + rect.width);
    expect(view.y).toBeLessThan(rect.y);
  });

  test("a flight starts and ends where it should, and goes out on long ways", () => {
    const from = { x: 0, y: 0, zoom: 1 };
    const to = { x: 20_000, y: 9000, zoom: 2 };
    const path = flight(from, to, screen);
    expect(path(0).x).toBeCloseTo(0, 3);
    expect(path(0).zoom).toBeCloseTo(1, 6);
    expect(path(1)).toEqual(to);
    expect(path(0.999).x).toBeCloseTo(to.x, -2);
    expect(path(0.5).zoom).toBeLessThan(0.2);
  });

  test("a flight on the spot only zooms", () => {
    const path = flight({ x: 5, y: 5, zoom: 1 }, { x: 5, y: 5, zoom: 4 }, screen);
    expect(path(0.5)).toEqual({ x: 5, y: 5, zoom: 2 });
  });

  test("the picture cannot be dragged out of sight", () => {
    const far = kept({ x: 1e9, y: -1e9, zoom: 1 }, screen, 100, 100);
    const view = viewOf(far, screen);
    expect(overlaps(view, { x: 0, y: 0, width: 100, height: 100 })).toBe(true);
  });

  test("easing begins and ends", () => {
    expect([eased(-1), eased(0), eased(0.5), eased(1), eased(3)]).toEqual([0, 0, 0.5, 1, 1]);
  });
});

describe("space", () => {
  test("far from the origin, distances from the eye are exact to a 32nd of a pixel", () => {
    const space = makeSpace();
    const eye = 5_400_000.37;
    setEye(space, 0, eye);
    for (const away of [-300.25, 0, 0.5, 411.75]) {
      const sent = (stepped(eye + away) - space.eye.value[1]) / STEPS - space.eyeRest.value[1];
      expect(Math.abs(sent - away)).toBeLessThanOrEqual(0.5 / STEPS + 1e-6);
    }
  });
});

describe("nest", () => {
  test("parents and ends of subtrees", () => {
    const { parent, end } = nestOf(open);
    expect([...parent]).toEqual([-1, -1, 1, 1, -1]);
    expect([...end]).toEqual([1, 4, 3, 4, 5]);
  });

  test("the innermost box is found", () => {
    const nest = nestOf(open);
    expect(boxAt(open, nest, 30, 120)).toBe(2);
    expect(boxAt(open, nest, 5, 75)).toBe(1);
    expect(boxAt(open, nest, 30, 10)).toBe(0);
    expect(boxAt(open, nest, 500, 10)).toBe(-1);
  });

  test("a rectangle finds what touches it and looks into large scopes only", () => {
    const nest = nestOf(open);
    const seen: number[] = [];
    eachIn(open, nest, { x: 0, y: 0, width: 300, height: 160 }, 10, (box) => seen.push(box));
    expect(seen).toEqual([0, 1, 2]);
    const outer: number[] = [];
    eachIn(open, nest, { x: 0, y: 0, width: 300, height: 999 }, 1000, (box) => outer.push(box));
    expect(outer).toEqual([0, 1, 4]);
  });

  test("the innermost scope around a rectangle", () => {
    const nest = nestOf(open);
    expect(scopeAround(open, nest, { x: 30, y: 120, width: 20, height: 20 })).toBe(1);
    expect(scopeAround(open, nest, { x: 30, y: 120, width: 900, height: 20 })).toBe(-1);
  });

  test("insets add up from scope to scope", () => {
    expect([...insetsOf(open, nestOf(open))]).toEqual([0, 0, 0, 0, 0]);
    const nested = pictureOf([
      { item: 0, at: [0, 0, 500, 500], depth: 1, open: true },
      { item: 1, at: [10, 26, 480, 460], depth: 2, open: true },
      { item: 2, at: [20, 60, 100, 44], depth: 3 },
    ]);
    expect([...insetsOf(nested, nestOf(nested))]).toEqual([0, 26, 26]);
  });

  test("scopes 5,000 deep do not end the stack", () => {
    const deep = pictureOf(
      Array.from({ length: 5000 }, (_, i) => ({
        item: i,
        at: [i, i, 20_000 - 2 * i, 20_000 - 2 * i] as const,
        depth: i + 1,
        open: i < 4999,
      })),
    );
    expect(boxAt(deep, nestOf(deep), 10_000, 10_000)).toBe(4999);
  });
});

describe("curves", () => {
  test("they go through all given points, and straight ones are one piece", () => {
    const curves = curvesOf(open.wires);
    expect(curves.start[1]).toBe(2);
    expect(curves.start[3] - curves.start[2]).toBeGreaterThan(4);
    const length = lengthOf(curves, 2);
    expect(length).toBeGreaterThan(Math.hypot(20, 46));
    expect(pointAt(curves, 2, 0)).toEqual([70, 154]);
    expect(pointAt(curves, 2, length + 1)).toEqual([90, 200]);
    const [x, y] = pointAt(curves, 2, length / 2);
    expect(x).toBeGreaterThan(72);
    expect(x).toBeLessThan(90);
    expect(y).toBeGreaterThan(160);
    expect(y).toBeLessThan(194);
  });

  test("many wires get fewer pieces", () => {
    const bent = pictureOf(
      [],
      Array.from({ length: 1000 }, () => [0, 0, 0, 0, 50, 50]),
    );
    const fine = curvesOf(bent.wires).x.length;
    const rough = curvesOf(bent.wires, 4000).x.length;
    expect(rough).toBeLessThan(fine);
    expect(rough).toBeLessThanOrEqual(4000);
  });

  test("a path says the curve and the line", () => {
    expect(pathOf(open.wires, 0, 0, 0)).toBe("M70 44L70 70");
    expect(pathOf(open.wires, 2, 10, 100)).toBe("M60 54C60 73.5 80 73.5 80 93V100");
  });
});

describe("motion", () => {
  test("what appears comes out of the old box of its scope", () => {
    const old = sceneryOf(closed);
    const next = sceneryOf(open);
    const { from, presence, ghosts } = motionOf(old, placesOf(closed), next);
    expect([...presence]).toEqual([0, 0, APPEARS, APPEARS, 0]);
    expect([...from.slice(4, 8)]).toEqual([0, 70, 160, 44]);
    // Box 2 lies at (20, 110) in the scope of 240 × 200, which was 160 × 44.
    expect(from[8]).toBeCloseTo(20 * (160 / 240));
    expect(from[9]).toBeCloseTo(70 + 40 * (44 / 200));
    expect(ghosts.boxes.length).toBe(0);
  });

  test("what vanishes goes into the new box of its scope", () => {
    const { ghosts, presence } = motionOf(sceneryOf(open), placesOf(open), sceneryOf(closed));
    expect([...presence]).toEqual([0, 0, 0]);
    expect([...ghosts.boxes]).toEqual([2, 3]);
    for (let i = 0; i < 2; i++) {
      const [x, y, width, height] = ghosts.to.slice(4 * i, 4 * i + 4);
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(70);
      expect(x + width).toBeLessThanOrEqual(160.001);
      expect(y + height).toBeLessThanOrEqual(114.001);
    }
  });

  test("a box that a scope hides is not that scope's box", () => {
    // Layouts may say which box shows a hidden item.
    const hiding = { ...closed, boxOf: Int32Array.from([0, 2, 1, 1, 1]) };
    const { presence } = motionOf(sceneryOf(hiding), placesOf(hiding), sceneryOf(open));
    expect([...presence]).toEqual([0, 0, APPEARS, APPEARS, 0]);
  });

  test("wires that stay bend from their old way, new ones come out of their scope", () => {
    const old = sceneryOf(closed);
    const next = sceneryOf(open);
    const motion = motionOf(old, placesOf(closed), next);
    const all = new Uint8Array(open.boxes.item.length).fill(1);
    const wires = wireMotion(old, next, motion, all);
    expect([...wires.was]).toEqual([0, NEW, NEW]);
    expect([...wires.presence]).toEqual([0, APPEARS, APPEARS]);
    expect([wires.x[0], wires.y[0], wires.y[1]]).toEqual([70, 44, 70]);
    const first = next.curves.start[2];
    expect(wires.y[first]).toBeGreaterThan(70);
    expect(wires.y[first]).toBeLessThan(114);
  });

  test("wires that nobody sees are in their new places at once", () => {
    const old = sceneryOf(closed);
    const next = sceneryOf(open);
    const motion = motionOf(old, placesOf(closed), next);
    const far = { x: -500, y: -500, width: 10, height: 10 };
    const near = { x: 0, y: 0, width: 500, height: 500 };
    const none = boxesSeen(motion.from, placesOf(open), far, far);
    expect([...none]).toEqual([0, 0, 0, 0, 0]);
    const wires = wireMotion(old, next, motion, none);
    expect([...wires.presence]).toEqual([0, 0, 0]);
    expect([...wires.x, ...wires.y]).toEqual([...next.curves.x, ...next.curves.y]);
    expect([...boxesSeen(motion.from, placesOf(open), far, near)]).toEqual([1, 1, 1, 1, 1]);
    expect(boxesSeen(motion.from, placesOf(open), near, far)[2]).toBe(1);
  });

  test("in 3D what is new grows out of its scope, and what leaves sinks into it", () => {
    const [small, large] = [sceneryOf(closed), sceneryOf(open)];
    const flatly = () => 0;
    const [low, high] = [small, large].map((one) => heightsOf(one, "nesting", flatly));
    const grown = motionOf(small, placesOf(closed), large);
    const opens = heightMotion(small, low, large, high, grown.ghosts);
    expect([...opens.high.top]).toEqual([...high.top]);
    expect([...opens.low.top.slice(0, 2)]).toEqual([low.top[0], low.top[1]]);
    // Boxes 2 and 3 lie in box 1.
    expect([...opens.low.base.slice(2, 4), ...opens.low.top.slice(2, 4)]).toEqual(
      new Array(4).fill(low.top[1]),
    );
    const gone = motionOf(large, placesOf(open), small);
    const closes = heightMotion(large, high, small, low, gone.ghosts);
    expect([...closes.low.top.slice(3)]).toEqual([high.top[2], high.top[3]]);
    expect([...closes.high.top.slice(3)]).toEqual([low.top[1], low.top[1]]);
    expect([...closes.high.base.slice(3)]).toEqual([low.top[1], low.top[1]]);
  });

  test("half way is half way", () => {
    const a = Float64Array.from([0, 0, 10, 10]);
    const b = Float64Array.from([4, 8, 20, 10]);
    expect([...placesBetween(a, b, 0.5)]).toEqual([2, 4, 15, 10]);
  });
});

describe("texts", () => {
  const textsAt = (zoom: number) =>
    legible(open, nestOf(open), { x: 120, y: 170, zoom }, { width: 2000, height: 2000 });

  test("near, all lines are there", () => {
    const parts = textsAt(1).map((slot) => `${slot.part} ${slot.index}`);
    expect(parts).toContain("title 0");
    expect(parts).toContain("detail 0");
    expect(parts).toContain("header 1");
    expect(parts).toContain("sign 1");
    expect(parts).toContain("repeat 4");
    expect(parts).toContain("title 3");
    expect(parts).not.toContain("detail 3");
  });

  test("letters never get smaller than can be read, and lines that would are left out", () => {
    for (const zoom of [2, 1, 0.7, 0.5, 0.35, 0.2, 0.1, 0.01]) {
      for (const slot of textsAt(zoom)) expect(slot.size).toBeGreaterThan(7);
    }
    expect(textsAt(0.5).some((slot) => slot.part === "detail")).toBe(false);
    expect(textsAt(0.02)).toEqual([]);
  });

  test("far off, the name of a scope stands over what cannot be read", () => {
    const parts = textsAt(0.3).map((slot) => slot.part);
    expect(parts).toContain("name");
    expect(parts).not.toContain("header");
  });

  test("what is out of view is not written", () => {
    const far = legible(open, nestOf(open), { x: 9000, y: 9000, zoom: 1 }, screen);
    expect(far).toEqual([]);
  });

  test("there are never more than asked for", () => {
    const specs = Array.from({ length: 3000 }, (_, i) => ({
      item: i,
      at: [(i % 60) * 120, Math.floor(i / 60) * 60, 100, 44] as const,
      depth: 1,
    }));
    const many = pictureOf(specs);
    const slots = legible(
      many,
      nestOf(many),
      { x: 3600, y: 1500, zoom: 1 },
      { width: 8000, height: 4000 },
    );
    expect(slots.length).toBeLessThan(910);
  });
});

describe("colours", () => {
  test("mixing, luminance and contrast", () => {
    expect(mixed(0x000000, 0xffffff, 0.5)).toBe(0x808080);
    expect(luminance(0xffffff)).toBeCloseTo(1);
    expect(contrast(0, 0xffffff)).toBeCloseTo(21);
    expect(hex(0x0a0b0c)).toBe("#0a0b0c");
  });

  test("ink can be read on any fill", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), (fill) => {
        expect(contrast(fill, inkOn(fill, 0x1b1f24))).toBeGreaterThanOrEqual(4.5);
        expect(contrast(fill, inkOn(fill, 0xeef1f4))).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });
});

describe("third axis", () => {
  const orbits = fc.record({
    amount: fc.constantFrom(0, 0.5, 1),
    tilt: fc.double({ min: 0, max: 1.2, noNaN: true }),
    turn: fc.double({ min: -3, max: 3, noNaN: true }),
  });

  test("a point under the pointer is seen where the pointer is", () => {
    fc.assert(
      fc.property(orbits, points, fc.double({ min: 0, max: 200, noNaN: true }), (orbit, at, z) => {
        const camera = { x: 300, y: 5_000_000, zoom: 0.8 };
        const point = under(camera, screen, orbit, at, z);
        if (point === null) return;
        const seen = seenAt(camera, screen, orbit, point.x, point.y, z);
        expect(seen.x).toBeCloseTo(at.x, 3);
        expect(seen.y).toBeCloseTo(at.y, 3);
      }),
    );
  });

  test("the matrix of the card says the same as the arithmetic of the pointer", () => {
    fc.assert(
      fc.property(orbits, (orbit) => {
        const camera = { x: 10, y: 20, zoom: 1.5 };
        const matrix = new Matrix4();
        project(matrix, camera, screen, orbit);
        const clip = new Vector4(30, -40, 25, 1).applyMatrix4(matrix);
        const seen = seenAt(camera, screen, orbit, 40, -20, 25);
        expect((0.5 + clip.x / clip.w / 2) * 800).toBeCloseTo(seen.x, 3);
        expect((0.5 - clip.y / clip.w / 2) * 600).toBeCloseTo(seen.y, 3);
      }),
    );
  });

  test("flat is exactly 2D", () => {
    const camera = { x: 10, y: 20, zoom: 1.5 };
    const seen = seenAt(camera, screen, { amount: 0, tilt: 1, turn: 1 }, 40, -20, 99);
    expect(seen).toEqual(toScreen(camera, screen, 40, -20));
  });

  test("storeys stand on each other", () => {
    const { base, top, wire } = heightsOf(sceneryOf(open), "nesting", () => 0);
    expect(base[1]).toBe(0);
    expect(base[2]).toBe(top[1]);
    expect(top[2]).toBeGreaterThan(base[2]);
    expect(wire[2]).toBeGreaterThan(top[1]);
    const flat = heightsOf(sceneryOf(open), "2d", () => 1);
    expect(Math.max(...flat.top)).toBe(0);
    expect(heightsBetween(flat, { base, top, wire }, 0.5).top[1]).toBe(top[1] / 2);
  });

  test("volumes differ where tensors do", () => {
    const { base, top } = heightsOf(sceneryOf(open), "volume", (box) => 0.4 + box / 20);
    expect(top[4] - base[4]).toBeGreaterThan(3 * (top[0] - base[0]));
  });
});

describe("images and wires", () => {
  test("an image that no browser can make is made smaller", () => {
    expect(imageSize(1000, 500, 2)).toEqual({ width: 2000, height: 1000, scale: 2 });
    const { width, height } = imageSize(1000, 5_400_000, 2);
    expect(height).toBeLessThanOrEqual(16_000);
    expect(width).toBeGreaterThan(0);
    const large = imageSize(20_000, 20_000, 2);
    expect(large.width * large.height).toBeLessThanOrEqual(90_000_000);
  });

  test("more bytes are thicker, unknown ones thin", () => {
    expect(thickness(0)).toBeLessThan(thickness(1e6));
    expect(thickness(1e3)).toBeLessThan(thickness(1e6));
    expect(thickness(1e12)).toBe(255);
    expect(thickness(Number.NaN)).toBe(thickness(0));
  });
});
