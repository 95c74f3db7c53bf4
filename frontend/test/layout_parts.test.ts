import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { corner } from "../src/layout/corner";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import { buffersOf } from "../src/layout/message";
import { pairTable } from "../src/layout/pairs";
import type { Opening } from "../src/layout/picture";
import { createLayout, Overtaken, onThisThread } from "../src/layout/service";
import { skyline } from "../src/layout/skyline";
import { survey } from "../src/layout/survey";
import { flat, networks, openings } from "./layout_networks";

describe("a skyline", () => {
  test("reaches as far as the furthest of what was raised there", () => {
    const stretch = fc.tuple(fc.nat(40), fc.nat(40), fc.integer({ min: -5, max: 90 }));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 60 }), (stretches) => {
        const line = skyline(41);
        const plain = new Array<number>(41).fill(0);
        for (const [a, b, out] of stretches) {
          const from = Math.min(a, b);
          const to = Math.max(a, b);
          expect(line.reach(from, to)).toBe(Math.max(...plain.slice(from, to + 1)));
          line.raise(from, to, out);
          for (let at = from; at <= to; at++) plain[at] = Math.max(plain[at], out);
        }
        expect(line.reach(0, 40)).toBe(Math.max(...plain));
      }),
    );
  });
});

describe("a table of pairs", () => {
  test("numbers them as they come, as a map does", () => {
    const pair = fc.tuple(
      fc.integer({ min: -3, max: 30 }),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    );
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 300 }), fc.array(pair), (added, asked) => {
        const table = pairTable(2);
        const plain = new Map<string, number>();
        for (const [a, b] of added) {
          const name = `${a},${b}`;
          if (!plain.has(name)) plain.set(name, plain.size);
          expect(table.add(a, b)).toBe(plain.get(name));
        }
        expect(table.count()).toBe(plain.size);
        for (const [a, b] of [...asked, ...added]) {
          expect(table.find(a, b)).toBe(plain.get(`${a},${b}`) ?? -1);
        }
      }),
    );
  });
});

describe("a corner", () => {
  test("leads from the upright side to the level one, on a circle", () => {
    for (const across of [-1, 1]) {
      for (const down of [-1, 1]) {
        const points = corner(100, 50, across, down, 8);
        const last = points[points.length - 1];
        expect(points[0]).toEqual([100, 50 + down * 8]);
        expect(last[0]).toBeCloseTo(100 + across * 8, 9);
        expect(last[1]).toBeCloseTo(50, 9);
        for (const [x, y] of points) {
          expect(Math.hypot(x - 100 - across * 8, y - 50 - down * 8)).toBeCloseTo(8, 9);
        }
      }
    }
  });
});

describe("the service", () => {
  const outline = flat(12, [[0, 1], [1, 2], [0, 2]]); // biome-ignore format: pairs
  const opening: Opening = { open: new Set([12]), unfolded: new Set(), aspect: 1.6 };

  test("gives on this thread what is laid out anywhere", async () => {
    const service = onThisThread(outline);
    expect(await service.layOut(opening)).toEqual(layOut(outline, opening, emptyMemo()));
    service.dispose();
  });

  test("works where there are no workers", async () => {
    const service = createLayout(outline);
    expect(await service.layOut(opening)).toEqual(layOut(outline, opening, emptyMemo()));
  });

  test("a newer request overtakes", async () => {
    const service = onThisThread(outline);
    const first = service.layOut(opening);
    const second = service.layOut({ ...opening, aspect: 1 });
    await expect(first).rejects.toBeInstanceOf(Overtaken);
    expect((await second).boxes.item.length).toBe(12);
  });

  test("sends outlines and pictures as they are", () => {
    const both = networks(12).chain((each) => openings(each).map((shown) => ({ each, shown })));
    fc.assert(
      fc.property(both, ({ each, shown }) => {
        const here = layOut(each, shown, emptyMemo());
        const sent = structuredClone({ each, shown });
        const there = layOut(survey(sent.each), sent.shown, emptyMemo());
        const back = structuredClone(there, { transfer: buffersOf(there) });
        expect(back).toEqual(here);
        expect(there.boxes.x.length === 0 && there.wires.x.length === 0).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
