import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import type { Outline, Picture } from "../src/layout/picture";
import { flat, nested } from "./layout_networks";

function open(outline: Outline, aspect = 1.6): Picture {
  const all = Array.from({ length: outline.scopes }, (_, at) => outline.nodes + at);
  return layOut(outline, { open: new Set(all), unfolded: new Set(), aspect }, emptyMemo());
}

/** Boxes that a wire runs through: those closed, neither its source nor its target. */
function throughBoxes({ boxes, wires, boxOf }: Picture): number {
  let found = 0;
  for (let wire = 0; wire < wires.source.length; wire++) {
    const ends = [boxOf[wires.source[wire]], boxOf[wires.target[wire]]];
    for (let point = wires.start[wire]; point < wires.start[wire + 1] - 1; point++) {
      for (let t = 0.05; t < 1; t += 0.1) {
        const x = wires.x[point] + (wires.x[point + 1] - wires.x[point]) * t * t * (3 - 2 * t);
        const y =
          wires.y[point] + (wires.y[point + 1] - wires.y[point]) * t * (1.5 + t * (t - 1.5));
        for (let box = 0; box < boxes.item.length; box++) {
          if (boxes.open[box] === 1 || ends.includes(box)) continue;
          const right = x - boxes.x[box];
          const down = y - boxes.y[box];
          if (right > 1 && right < boxes.width[box] - 1 && down > 1 && down < boxes.height[box] - 1)
            found++;
        }
      }
    }
  }
  return found;
}

function overlaps({ boxes: { x, y, width, height, depth } }: Picture): number {
  let found = 0;
  for (let a = 0; a < x.length; a++) {
    for (let b = a + 1; b < x.length && depth[b] >= depth[a]; b++) {
      if (depth[a] !== depth[b]) continue;
      const across = x[a] < x[b] + width[b] && x[b] < x[a] + width[a];
      if (across && y[a] < y[b] + height[b] && y[b] < y[a] + height[a]) found++;
    }
  }
  return found;
}

const chain = (nodes: number) =>
  Array.from({ length: nodes - 1 }, (_, at) => [at, at + 1] as const);

describe("the trunk", () => {
  test("is one straight line, also through scopes, and a skip runs beside it", () => {
    // in, [a, [b, c], add], out, with a skip from before `a` to `add`
    const outline = nested(6, [0, 1, 2, 2, 1, 0], [-1, 0, 1], [...chain(6), [0, 4]]);
    // Children are listed nodes first, so the scopes are put in their places.
    const inOrder = {
      ...outline,
      children: {
        start: outline.children.start,
        values: Int32Array.of(0, 7, 5, 1, 8, 4, 2, 3),
      },
    };
    const { boxes, wires, boxOf } = open(inOrder);
    const middles = [0, 1, 2, 3, 4, 5].map((n) => boxes.x[boxOf[n]] + boxes.width[boxOf[n]] / 2);
    for (const middle of middles) expect(middle).toBeCloseTo(middles[0], 6);
    const straight = Array.from(wires.source, (_, wire) =>
      wires.x
        .subarray(wires.start[wire], wires.start[wire + 1])
        .every((x) => Math.abs(x - middles[0]) < 1e-6),
    );
    // A port for the skip's value enters with the trunk's, since it is the same value.
    expect(straight.filter((is) => !is).length).toBe(1);
  });
});

describe("shape", () => {
  test("a long chain is broken into columns near the aspect that is asked for", () => {
    for (const aspect of [0.7, 1.6]) {
      const picture = open(flat(400, chain(400)), aspect);
      const ratio = picture.width / picture.height / aspect;
      expect(ratio).toBeGreaterThan(0.55);
      expect(ratio).toBeLessThan(1.8);
      expect(overlaps(picture)).toBe(0);
      expect(throughBoxes(picture)).toBe(0);
    }
  });

  test("many in parallel stand in rows between what feeds them and what they feed", () => {
    const many = 300;
    const edges: [number, number][] = [];
    for (let at = 1; at <= many; at++) edges.push([0, at], [at, many + 1]);
    const picture = open(flat(many + 2, edges));
    expect(picture.width / picture.height).toBeLessThan(4);
    expect(picture.width / picture.height).toBeGreaterThan(0.4);
    const { y, height } = picture.boxes;
    for (let at = 1; at <= many; at++) {
      expect(y[at]).toBeGreaterThan(y[0] + height[0]);
      expect(y[at] + height[at]).toBeLessThan(y[many + 1]);
    }
    expect(picture.wires.source.length).toBe(2 * many);
    expect(overlaps(picture)).toBe(0);
    expect(throughBoxes(picture)).toBe(0);
  });

  test("short chains in parallel stand in rows too, in whatever order they are listed", () => {
    const many = 60;
    const edges: [number, number][] = [];
    for (let at = 0; at < many; at++) {
      // 1 + 3 at leads to 3 + 3 at, that to 2 + 3 at.
      edges.push([0, 1 + 3 * at], [1 + 3 * at, 3 + 3 * at], [3 + 3 * at, 2 + 3 * at]);
      edges.push([2 + 3 * at, 3 * many + 1]);
    }
    const picture = open(flat(3 * many + 2, edges));
    expect(picture.width / picture.height).toBeLessThan(4);
    expect(picture.width / picture.height).toBeGreaterThan(0.4);
    const { x, y, height } = picture.boxes;
    for (let at = 0; at < many; at++) {
      expect(x[3 + 3 * at]).toBe(x[1 + 3 * at]);
      expect(y[3 + 3 * at]).toBeGreaterThan(y[1 + 3 * at] + height[1 + 3 * at]);
      expect(y[2 + 3 * at]).toBeGreaterThan(y[3 + 3 * at] + height[3 + 3 * at]);
    }
    expect(picture.wires.source.length).toBe(edges.length);
    expect(overlaps(picture)).toBe(0);
    expect(throughBoxes(picture)).toBe(0);
  });

  test("what is alone is packed", () => {
    const picture = open(flat(500, []));
    expect(picture.width / picture.height).toBeLessThan(4);
    expect(picture.width / picture.height).toBeGreaterThan(0.4);
    expect(overlaps(picture)).toBe(0);
  });
});

describe("size", () => {
  test("5,000 scopes in each other are laid out without recursion", () => {
    const deep = 5000;
    const parents = Array.from({ length: deep }, (_, at) => at - 1);
    const outline = nested(2, [0, deep - 1], parents, [[0, 1]]);
    const { boxes, wires } = open(outline);
    expect(boxes.item.length).toBe(deep + 1);
    expect(wires.source.length).toBe(deep);
    expect(boxes.x.every(Number.isFinite) && boxes.y.every(Number.isFinite)).toBe(true);
  });

  test("20,000 nodes in one scope with skips among them", () => {
    const nodes = 20_000;
    const edges: [number, number][] = [...chain(nodes)].map(([a, b]) => [a, b]);
    for (let at = 7; at < nodes - 60; at += 5) edges.push([at, at + 3 + ((at * 31) % 50)]);
    const picture = open(flat(nodes, edges));
    expect(picture.width / picture.height).toBeGreaterThan(0.5);
    expect(picture.width / picture.height).toBeLessThan(4);
    expect(picture.wires.source.length).toBe(edges.length);
  });

  test("a value that all of 8,000 nodes need takes no millions of points", () => {
    const nodes = 8000;
    const edges: [number, number][] = [];
    for (let at = 1; at < nodes; at++) {
      edges.push([at, (at % (nodes - 1)) + 1]);
      edges.push([0, at]);
    }
    const { wires, boxes } = open(
      flat(
        nodes,
        edges.filter(([a, b]) => a < b),
      ),
    );
    expect(wires.x.length).toBeLessThan(1_000_000);
    expect(new Set(wires.target).size).toBe(nodes - 1);
    expect(boxes.item.length).toBe(nodes);
  });

  test("a network without nodes, and one without edges", () => {
    const empty = open(flat(0, []));
    expect(empty.boxes.item.length).toBe(0);
    expect(Number.isFinite(empty.width) && Number.isFinite(empty.height)).toBe(true);
    expect(open(flat(1, [])).boxes.item.length).toBe(1);
  });
});

describe("wires around boxes", () => {
  test("in any network none runs through a box, and no boxes overlap", () => {
    const size = fc.integer({ min: 2, max: 30 });
    const anyEdges = size.chain((nodes) =>
      fc.record({
        nodes: fc.constant(nodes),
        edges: fc.array(fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1)), {
          maxLength: 3 * nodes,
          size: "max",
        }),
      }),
    );
    fc.assert(
      fc.property(anyEdges, ({ nodes, edges }) => {
        const picture = open(
          flat(
            nodes,
            edges.filter(([from, to]) => from !== to),
          ),
        );
        expect(overlaps(picture)).toBe(0);
        expect(throughBoxes(picture)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  test("what a circle leads to stands below it, and what leads there from it runs down", () => {
    const edges = [[3, 0], [2, 10], [1, 3], [10, 2], [2, 0]] as const; // biome-ignore format: pairs
    const picture = open(flat(12, edges));
    expect(throughBoxes(picture)).toBe(0);
    const { boxes, wires, boxOf } = picture;
    const top = (node: number) => boxes.y[boxOf[node]];
    const up = edges.filter(([from, to]) => top(to) < top(from));
    expect(up).toEqual([[10, 2]]);
    const last = wires.source.findIndex((from, wire) => from === 2 && wires.target[wire] === 0);
    expect(wires.start[last + 1] - wires.start[last]).toBeLessThanOrEqual(4);
  });

  test("every source to every later node: none runs through a box", () => {
    const edges: [number, number][] = [];
    for (let from = 0; from < 14; from++)
      for (let to = from + 1; to < 14; to++) edges.push([from, to]);
    expect(throughBoxes(open(flat(14, edges)))).toBe(0);
  });

  test("branches of different length that meet at different places", () => {
    const edges = [
      [0, 1], [1, 2], [2, 3], [3, 4], [4, 5],
      [0, 6], [6, 7], [7, 4],
      [1, 8], [8, 9], [9, 10], [10, 5],
      [6, 11], [11, 5], [2, 12], [12, 13], [8, 13], [13, 5], [14, 13], [14, 3],
    ] as const; // biome-ignore format: by branch
    expect(throughBoxes(open(flat(15, edges)))).toBe(0);
  });
});
