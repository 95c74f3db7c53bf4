import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import { HEADER, type Opening, type Outline, type Picture } from "../src/layout/picture";
import { checkedLinks, networks, openings } from "./layout_networks";

const cases = networks().chain((outline) =>
  openings(outline).map((opening) => ({ outline, opening })),
);

function each(check: (picture: Picture, outline: Outline, opening: Opening) => void): void {
  fc.assert(
    fc.property(cases, ({ outline, opening }) => {
      check(layOut(outline, opening, emptyMemo()), outline, opening);
    }),
    { numRuns: 60 },
  );
}

/** The box around each box, by depths in preorder. */
function aroundOf({ boxes }: Picture): number[] {
  const stack: number[] = [];
  return Array.from(boxes.depth, (depth, box) => {
    while (stack.length > 0 && boxes.depth[stack[stack.length - 1]] >= depth) stack.pop();
    const around = stack.length > 0 ? stack[stack.length - 1] : -1;
    stack.push(box);
    return around;
  });
}

describe("boxes", () => {
  test("are those that the opening shows, in preorder", () => {
    each((picture, outline, opening) => {
      const { boxes, boxOf } = picture;
      const shown = new Set(boxes.item);
      expect(shown.size).toBe(boxes.item.length);
      boxes.item.forEach((item, box) => {
        expect(boxOf[item]).toBe(box);
        const around = outline.parent[item];
        expect(around === outline.nodes || shown.has(around)).toBe(true);
        if (around !== outline.nodes) {
          expect(boxOf[around]).toBeLessThan(box);
          expect(boxes.open[boxOf[around]]).toBe(1);
        }
        expect(boxes.open[box]).toBe(item >= outline.nodes && opening.open.has(item) ? 1 : 0);
      });
      boxOf.forEach((box, item) => {
        if (box < 0) expect(shown.has(item)).toBe(false);
      });
    });
  });

  test("of siblings do not overlap, and lie in the scope around them below its header", () => {
    each((picture) => {
      const { x, y, width, height } = picture.boxes;
      const around = aroundOf(picture);
      const inside = new Map<number, number[]>();
      around.forEach((outer, box) => {
        const left = outer < 0 ? 0 : x[outer];
        const top = outer < 0 ? 0 : y[outer] + HEADER;
        const right = outer < 0 ? picture.width : x[outer] + width[outer];
        const bottom = outer < 0 ? picture.height : y[outer] + height[outer];
        expect(x[box]).toBeGreaterThanOrEqual(left + 4);
        expect(y[box]).toBeGreaterThanOrEqual(top + 4);
        expect(x[box] + width[box]).toBeLessThanOrEqual(right - 4);
        expect(y[box] + height[box]).toBeLessThanOrEqual(bottom - 4);
        for (const other of inside.get(outer) ?? []) {
          const apart =
            x[box] >= x[other] + width[other] + 4 ||
            x[other] >= x[box] + width[box] + 4 ||
            y[box] >= y[other] + height[other] + 4 ||
            y[other] >= y[box] + height[box] + 4;
          expect(apart).toBe(true);
        }
        inside.set(outer, [...(inside.get(outer) ?? []), box]);
      });
    });
  });

  test("keep their size while they are closed, and say how many they stand for", () => {
    each(({ boxes }, outline, opening) => {
      let leaves = 0;
      boxes.item.forEach((item, box) => {
        if (boxes.open[box] === 1) return;
        expect(boxes.width[box]).toBe(outline.width[item]);
        expect(boxes.height[box]).toBe(outline.height[item]);
        leaves++;
      });
      expect(leaves).toBeGreaterThan(0);
      boxes.item.forEach((item, box) => {
        const run = item < outline.nodes ? 1 : outline.repeat[item - outline.nodes];
        expect(boxes.repeat[box]).toBe(opening.unfolded.has(item) ? 1 : Math.max(run, 1));
      });
    });
  });
});

describe("wires", () => {
  test("start and end on the borders of what they connect", () => {
    each((picture, outline) => {
      const { boxes, wires, boxOf } = picture;
      const on = (item: number, px: number, py: number, edges: ("top" | "bottom")[]): boolean => {
        const box = boxOf[item];
        const inside = px >= boxes.x[box] - 0.01 && px <= boxes.x[box] + boxes.width[box] + 0.01;
        const borders = { top: boxes.y[box], bottom: boxes.y[box] + boxes.height[box] };
        return inside && edges.some((edge) => Math.abs(borders[edge] - py) < 0.01);
      };
      wires.source.forEach((source, wire) => {
        const target = wires.target[wire];
        const first = wires.start[wire];
        const last = wires.start[wire + 1] - 1;
        expect(last).toBeGreaterThan(first);
        const inward = outline.parent[target] === source;
        const outward = outline.parent[source] === target;
        expect(inward || outward || outline.parent[source] === outline.parent[target]).toBe(true);
        expect(on(source, wires.x[first], wires.y[first], [inward ? "top" : "bottom"])).toBe(true);
        expect(on(target, wires.x[last], wires.y[last], [outward ? "bottom" : "top"])).toBe(true);
      });
    });
  });

  test("meet at borders: what comes to a port goes on from it", () => {
    each((picture, outline) => {
      const { wires } = picture;
      const starts = new Set<string>();
      const ends = new Set<string>();
      const name = (item: number, x: number, y: number) =>
        `${item} ${x.toFixed(1)} ${y.toFixed(1)}`;
      wires.source.forEach((source, wire) => {
        const first = wires.start[wire];
        const last = wires.start[wire + 1] - 1;
        starts.add(name(source, wires.x[first], wires.y[first]));
        ends.add(name(wires.target[wire], wires.x[last], wires.y[last]));
      });
      wires.source.forEach((source, wire) => {
        const first = wires.start[wire];
        const last = wires.start[wire + 1] - 1;
        const target = wires.target[wire];
        if (outline.parent[target] === source) {
          expect(ends).toContain(name(source, wires.x[first], wires.y[first]));
        }
        if (outline.parent[source] === target && picture.boxOf[outline.parent[target]] >= 0) {
          const leaves = name(target, wires.x[last], wires.y[last]);
          // What leaves a folded run only for the next of the run ends at the run's border.
          const run = outline.repeat[target - outline.nodes] > 1;
          if (!run) expect(starts).toContain(leaves);
        }
      });
    });
  });

  test("stand for every edge between what is visible, and for nothing else", () => {
    each((picture, outline, opening) => {
      const { wires } = picture;
      const drawn = new Set<string>();
      wires.source.forEach((source, wire) => {
        drawn.add(`${source}>${wires.target[wire]}`);
      });
      const wanted = checkedLinks(outline, opening);
      expect([...drawn].sort()).toEqual([...wanted].sort());
    });
  });

  test("count the values that they carry", () => {
    each((picture, outline) => {
      const { wires } = picture;
      wires.source.forEach((_, wire) => {
        expect(wires.values[wire]).toBeGreaterThanOrEqual(1);
        expect(wires.edge[wire]).toBeGreaterThanOrEqual(0);
        expect(wires.edge[wire]).toBeLessThan(outline.edges.source.length);
        expect(wires.bytes[wire]).toBeGreaterThanOrEqual(0);
      });
    });
  });

  test("run within the picture", () => {
    each((picture) => {
      const { wires } = picture;
      for (const x of wires.x) expect(x >= 0 && x <= picture.width).toBe(true);
      for (const y of wires.y) expect(y >= 0 && y <= picture.height).toBe(true);
    });
  });
});

describe("a layout", () => {
  test("is the same each time, with and without memory", () => {
    fc.assert(
      fc.property(cases, ({ outline, opening }) => {
        const memo = emptyMemo();
        const first = layOut(outline, opening, memo);
        expect(layOut(outline, opening, memo)).toEqual(first);
        expect(layOut(outline, opening, emptyMemo())).toEqual(first);
      }),
      { numRuns: 60 },
    );
  });

  test("changes nothing that it is given", () => {
    fc.assert(
      fc.property(cases, ({ outline, opening }) => {
        const before = structuredClone({ outline, opening });
        layOut(outline, opening, emptyMemo());
        expect({ outline, opening }).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });
});
