/**
 * Splits the vertices of a scope into lanes: paths that are drawn as straight vertical lines.
 * Lane 0, the trunk, is a longest path; skips and branches run beside it.
 */

import type { Lists } from "../graph/network";
import type { Task } from "./sheet";
import { grouped } from "./survey";

/** Links by the vertices at their ends. A link that closes a circle is in neither list. */
export interface Ways {
  readonly vertices: number;
  /** The vertices, each after those that links lead to it from. */
  readonly order: Int32Array;
  /** Link numbers, by the vertex that they leave and enter. */
  readonly out: Lists;
  readonly in: Lists;
  /** Links that lead back. */
  readonly back: readonly number[];
}

/** Lanes: each vertex is in one. */
export interface Lanes {
  readonly of: Int32Array;
  /** The vertex below in the same lane, -1 at its end. */
  readonly next: Int32Array;
  readonly head: readonly number[];
  readonly tail: readonly number[];
}

/** How many ways to a vertex are compared at most: thousands to one would take their square. */
const LOOKS = 64;

/** Sorts links by their ends. */
export function waysOf(task: Task): Ways {
  const vertices = task.inPorts + task.boxes + task.outPorts;
  const order = orderOf(task, vertices);
  const rank = new Int32Array(vertices);
  order.forEach((vertex, at) => {
    rank[vertex] = at;
  });
  const forward: number[] = [];
  const back: number[] = [];
  for (let link = 0; link < task.from.length; link++) {
    (rank[task.from[link]] < rank[task.to[link]] ? forward : back).push(link);
  }
  const byEnd = (ends: Int32Array): Lists => {
    const lists = grouped(
      forward.map((link) => ends[link]),
      vertices,
    );
    return { start: lists.start, values: lists.values.map((at) => forward[at]) };
  };
  return { vertices, order, out: byEnd(task.from), in: byEnd(task.to), back };
}

/** Vertices so that links lead onward, but for those that close a circle. */
function orderOf(task: Task, vertices: number): Int32Array {
  const order = Int32Array.from({ length: vertices }, (_, at) => at);
  if (task.from.every((from, link) => from < task.to[link])) return order;
  const out = grouped(task.from, vertices);
  const closes = closing(task, out, vertices);
  const waits = new Int32Array(vertices);
  for (let link = 0; link < task.to.length; link++) if (closes[link] === 0) waits[task.to[link]]++;
  let last = 0;
  for (let vertex = 0; vertex < vertices; vertex++) if (waits[vertex] === 0) order[last++] = vertex;
  for (let first = 0; first < last; first++) {
    for (let at = out.start[order[first]]; at < out.start[order[first] + 1]; at++) {
      const link = out.values[at];
      if (closes[link] === 0 && --waits[task.to[link]] === 0) order[last++] = task.to[link];
    }
  }
  return order;
}

/**
 * Marks links that close a circle: those to where a walk has come from that starts at what
 * nothing leads to, then at what comes first. What is only led to from a circle is not part of
 * it: it stands below, and the link to it leads down.
 */
function closing(task: Task, out: Lists, vertices: number): Uint8Array {
  const closes = new Uint8Array(task.from.length);
  const isEntered = new Uint8Array(vertices);
  for (const to of task.to) isEntered[to] = 1;
  // 0 not seen, 1 on the way, 2 left for good.
  const seen = new Uint8Array(vertices);
  const next = out.start.slice(0, vertices);
  const way: number[] = [];
  const walk = (start: number): void => {
    if (seen[start] !== 0) return;
    way.push(start);
    seen[start] = 1;
    while (way.length > 0) {
      const vertex = way[way.length - 1];
      if (next[vertex] === out.start[vertex + 1]) {
        seen[vertex] = 2;
        way.pop();
        continue;
      }
      const link = out.values[next[vertex]++];
      const to = task.to[link];
      if (seen[to] === 1) closes[link] = 1;
      else if (seen[to] === 0) {
        seen[to] = 1;
        way.push(to);
      }
    }
  };
  for (let vertex = 0; vertex < vertices; vertex++) if (isEntered[vertex] === 0) walk(vertex);
  for (let vertex = 0; vertex < vertices; vertex++) walk(vertex);
  return closes;
}

/** Finds the lanes, in time linear in the links. */
export function lanesOf(task: Task, ways: Ways): Lanes {
  const { vertices } = ways;
  const { up, down } = lengths(task, ways);
  const of = new Int32Array(vertices).fill(-1);
  const next = new Int32Array(vertices).fill(-1);
  const head: number[] = [];
  const tail: number[] = [];
  const follow = (first: number, choose: (vertex: number) => number): void => {
    let vertex = first;
    of[vertex] = head.length;
    for (let below = choose(vertex); below >= 0; below = choose(vertex)) {
      next[vertex] = below;
      of[below] = head.length;
      vertex = below;
    }
    head.push(first);
    tail.push(vertex);
  };
  if (vertices > 0) {
    const first = startOf(task, ways, down);
    follow(first, (vertex) => middleOfBest(task, ways, down, vertex));
  }
  for (const vertex of ways.order) {
    if (of[vertex] < 0) follow(vertex, (at) => bestFree(task, ways, up, down, of, at));
  }
  return { of, next, head, tail };
}

/** Number of boxes on the longest ways to and from each vertex, itself counted. */
function lengths(task: Task, ways: Ways) {
  const { vertices } = ways;
  const first = task.inPorts;
  const last = task.inPorts + task.boxes;
  const up = new Int32Array(vertices);
  const down = new Int32Array(vertices);
  for (const vertex of ways.order) {
    let most = 0;
    for (let at = ways.in.start[vertex]; at < ways.in.start[vertex + 1]; at++) {
      most = Math.max(most, up[task.from[ways.in.values[at]]]);
    }
    up[vertex] = most + (vertex >= first && vertex < last ? 1 : 0);
  }
  for (let place = vertices - 1; place >= 0; place--) {
    const vertex = ways.order[place];
    let most = 0;
    for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
      most = Math.max(most, down[task.to[ways.out.values[at]]]);
    }
    down[vertex] = most + (vertex >= first && vertex < last ? 1 : 0);
  }
  return { up, down };
}

/**
 * Where the trunk starts: at what goes on furthest. Of several, rather at a port, and at one that
 * enters its box in line; of those, at the one whose box comes first.
 */
function startOf(task: Task, ways: Ways, down: Int32Array): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let vertex = 0; vertex < ways.vertices; vertex++) {
    if (down[vertex] < down[best]) continue;
    let rank = Number.MAX_SAFE_INTEGER;
    for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
      const link = ways.out.values[at];
      const to = task.to[link];
      if (vertex >= task.inPorts || down[to] < down[vertex]) continue;
      rank = Math.min(rank, to + (entersInLine(task, link) ? 0 : ways.vertices));
    }
    if (down[vertex] > down[best] || rank < least) {
      best = vertex;
      least = rank;
    }
  }
  return best;
}

/**
 * Of the vertices that go on furthest, the middle one, so that as much lies left as right;
 * rather one that a straight line leads to.
 */
function middleOfBest(task: Task, ways: Ways, down: Int32Array, vertex: number): number {
  let most = -1;
  const best = new Set<number>();
  const straight = new Set<number>();
  for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
    const link = ways.out.values[at];
    const below = task.to[link];
    if (down[below] > most) {
      most = down[below];
      best.clear();
      straight.clear();
    }
    if (down[below] < most) continue;
    best.add(below);
    if (leavesInLine(task, link) && entersInLine(task, link)) straight.add(below);
  }
  if (best.size === 0) return -1;
  const list = [...(straight.size > 0 ? straight : best)].sort((a, b) => a - b);
  return list[(list.length - 1) >> 1];
}

/** Whether a link leaves its box where the main wire does; free ends do not say otherwise. */
function leavesInLine(task: Task, link: number): boolean {
  const box = task.from[link] - task.inPorts;
  return Number.isNaN(task.fromAt[link]) || Math.abs(task.fromAt[link] - task.outAxis[box]) < 1;
}

function entersInLine(task: Task, link: number): boolean {
  const box = task.to[link] - task.inPorts;
  return Number.isNaN(task.toAt[link]) || Math.abs(task.toAt[link] - task.inAxis[box]) < 1;
}

/** The vertex below that goes on furthest among those in no lane yet that do not fit another better. */
function bestFree(
  task: Task,
  ways: Ways,
  up: Int32Array,
  down: Int32Array,
  of: Int32Array,
  vertex: number,
): number {
  let best = -1;
  for (let at = ways.out.start[vertex]; at < ways.out.start[vertex + 1]; at++) {
    const below = task.to[ways.out.values[at]];
    if (of[below] >= 0 || (best >= 0 && down[below] <= down[best])) continue;
    if (fits(task, ways, up, of, vertex, below)) best = below;
  }
  return best;
}

/** Whether no other way to a vertex, still in no lane, is longer than the one by `above`. */
function fits(
  task: Task,
  ways: Ways,
  up: Int32Array,
  of: Int32Array,
  above: number,
  vertex: number,
): boolean {
  const last = Math.min(ways.in.start[vertex + 1], ways.in.start[vertex] + LOOKS);
  for (let at = ways.in.start[vertex]; at < last; at++) {
    const other = task.from[ways.in.values[at]];
    if (of[other] < 0 && up[other] > up[above]) return false;
  }
  return true;
}
