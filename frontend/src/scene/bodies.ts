/** Shapes that are drawn once for each box: a square, and a body with round corners. */

import { BufferAttribute, InstancedBufferGeometry } from "three";

/** Straight pieces of each round corner of a body. */
const ARC = 3;

/** A square from (-1, -1) to (1, 1). */
export function square(): InstancedBufferGeometry {
  const geometry = new InstancedBufferGeometry();
  const corners = new Float32Array([-1, -1, 1, -1, 1, 1, -1, 1]);
  geometry.setAttribute("corner", new BufferAttribute(corners, 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  return geometry;
}

/**
 * A body: `corner` has the corner's signs and the direction of the arc there, `face` says
 * whether a vertex is on top and whether it belongs to the top face. There is no face below.
 */
export function prism(): InstancedBufferGeometry {
  const corner: number[] = [];
  const face: number[] = [];
  const rim: (readonly [number, number, number, number])[] = [];
  const signs = [
    [1, 1],
    [-1, 1],
    [-1, -1],
    [1, -1],
  ] as const;
  for (let quarter = 0; quarter < 4; quarter++) {
    for (let piece = 0; piece <= ARC; piece++) {
      const angle = ((quarter + piece / ARC) * Math.PI) / 2;
      rim.push([signs[quarter][0], signs[quarter][1], Math.cos(angle), Math.sin(angle)]);
    }
  }
  const round = rim.length;
  for (const [top, side] of [
    [1, 1],
    [1, 0],
    [0, 0],
  ]) {
    for (const vertex of rim) {
      corner.push(...vertex);
      face.push(top, side);
    }
  }
  const index: number[] = [];
  for (let i = 1; i + 1 < round; i++) index.push(0, i, i + 1);
  for (let i = 0; i < round; i++) {
    const next = (i + 1) % round;
    index.push(round + i, 2 * round + i, round + next);
    index.push(round + next, 2 * round + i, 2 * round + next);
  }
  const geometry = new InstancedBufferGeometry();
  geometry.setAttribute("corner", new BufferAttribute(new Float32Array(corner), 4));
  geometry.setAttribute("face", new BufferAttribute(new Float32Array(face), 2));
  geometry.setIndex(index);
  return geometry;
}
