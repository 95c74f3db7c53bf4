/** Search for items by their texts, shapes and numbers. */

import type { Item, Network } from "../graph/network";
import { type Haystack, prepare, type Shared } from "./haystack";
import type { Pattern } from "./pattern";
import { type Condition, parse, type Query } from "./query";

/** Where the pattern was found. */
export type Place = "name" | "class" | "path" | "attribute" | "shape";

/** An item that was found. */
export interface Hit {
  readonly item: Item;
  readonly place: Place;
  /** The text that it was found in, and the part of it that fits. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What a search found, best first. */
export interface Found {
  readonly hits: readonly Hit[];
  /** All items that fit, in the order of the hits; of them the first are in `hits`. */
  readonly items: readonly Item[];
  /** What to tell the user of how the query was taken, null if nothing. */
  readonly note: string | null;
}

const NOTHING: Found = { hits: [], items: [], note: null };
const SLICE = 256; // Items between two looks at the clock.

/** Searches a network again and again; the texts are made ready at the first time. */
export interface Search {
  /**
   * Finds items, working in short slices so that the page stays alive.
   *
   * @param limit - How many hits to tell all of.
   * @returns null if another search was begun in the meantime.
   */
  readonly find: (text: string, limit?: number) => Promise<Found | null>;
}

/**
 * Makes the search of a network.
 *
 * @param slice - Milliseconds of work between two pauses, and after how many of work a search ends.
 */
export function createSearch(network: Network, { slice = 8, budget = 1500 } = {}): Search {
  let haystack: Haystack | null = null;
  let current = 0;
  return {
    find: async (text, limit = 200) => {
      const own = ++current;
      const query = parse(text);
      if (query === null) return NOTHING;
      const isLatest = () => own === current;
      if (haystack === null) {
        const made = await inSlices(prepare(network), slice, Number.POSITIVE_INFINITY, isLatest);
        if (made === null) return null;
        haystack = made;
      }
      const found = await inSlices(run(haystack, query, limit), slice, budget, isLatest);
      return isLatest() ? found : null;
    },
  };
}

/** Finds items at once; for small networks, and wherever waiting is no concern. */
export function searchNow(haystack: Haystack, text: string, limit = 200): Found {
  const query = parse(text);
  return query === null ? NOTHING : toEnd(run(haystack, query, limit));
}

/** Runs all steps of something at once. */
export function toEnd<T>(steps: Generator<void, T, boolean | undefined>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Runs steps with pauses; tells them by `true` when the time is up, so that they come to an end. */
async function inSlices<T>(
  steps: Generator<void, T, boolean | undefined>,
  slice: number,
  budget: number,
  isLatest: () => boolean,
): Promise<T | null> {
  let worked = 0;
  let begun = performance.now();
  for (let step = steps.next(); ; step = steps.next(worked > budget)) {
    if (step.done) return step.value;
    const spent = performance.now() - begun;
    if (spent < slice) continue;
    worked += spent;
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!isLatest()) return null;
    begun = performance.now();
  }
}

function* run(
  haystack: Haystack,
  query: Query,
  limit: number,
): Generator<void, Found, boolean | undefined> {
  const { network, ids, shared, sharedOf } = haystack;
  const { pattern, conditions } = query;
  const items = network.nodes + network.scopes;
  const ofShared = shared.map((texts) => rankOfShared(texts, pattern));
  const allowed = shared.map((texts) => conditions.every((one) => sharedMeets(texts, one)));
  const found = new Float64Array(items);
  let count = 0;
  let cut = false;
  for (let item = 0; item < items; item++) {
    if (item % SLICE === SLICE - 1 && (yield)) {
      cut = true;
      break;
    }
    const number = sharedOf[item];
    if (!allowed[number] || !itemMeets(network, ids[item], item, conditions)) continue;
    const rank = pattern === null ? 0 : Math.min(rankOfId(ids[item], pattern), ofShared[number]);
    if (rank === NONE) continue;
    // One number to sort by: rank, then depth, then order.
    const depth = Math.min(network.depth[item], 8191);
    found[count++] = (rank * 8192 + depth) * 2 ** 31 + network.enter[item];
  }
  const ranked = Array.from(found.subarray(0, count).sort(), (key) => network.order[key % 2 ** 31]);
  return {
    items: ranked,
    hits: ranked.slice(0, limit).map((item) => hitOf(haystack, item, pattern)),
    note: cut ? "took too long, stopped before the end" : query.note,
  };
}

// Ranks of where a pattern is found, best first.
const WHOLE_NAME = 0;
const START_OF_NAME = 1;
const IN_NAME = 2;
const CLASS = 3;
const IN_PATH = 4;
const TYPE = 5;
const ATTRIBUTE = 6;
const SHAPE = 7;
const NONE = 15;

function match({ regex, longest }: Pattern, text: string): RegExpExecArray | null {
  // Of a long path the end says most.
  return regex.exec(text.length > longest ? text.slice(-longest) : text);
}

function rankOfId(id: string, pattern: Pattern): number {
  const found = match(pattern, id);
  if (found === null) return NONE;
  const from = found.index + Math.max(id.length - pattern.longest, 0);
  const to = from + found[0].length;
  const name = id.lastIndexOf(".") + 1;
  if (to <= name) {
    const again = name === 0 ? null : match(pattern, id.slice(name));
    if (again === null) return IN_PATH;
    if (again[0].length === id.length - name) return WHOLE_NAME;
    return again.index === 0 ? START_OF_NAME : IN_NAME;
  }
  if (from <= name) return to === id.length ? WHOLE_NAME : START_OF_NAME;
  return IN_NAME;
}

function rankOfShared(texts: Shared, pattern: Pattern | null): number {
  if (pattern === null) return 0;
  if (match(pattern, texts.label)) return CLASS;
  if (match(pattern, texts.type)) return TYPE;
  if (match(pattern, texts.attribute)) return ATTRIBUTE;
  return match(pattern, texts.shape) ? SHAPE : NONE;
}

function sharedMeets(texts: Shared, condition: Condition): boolean {
  if (condition.kind === "shape") return hasSizes(texts.shape, condition.sizes);
  if (condition.kind === "number" || condition.field === "name") return true;
  const { field, pattern } = condition;
  if (field === "class") return Boolean(match(pattern, texts.label) ?? match(pattern, texts.type));
  return match(pattern, texts[field]) !== null;
}

function itemMeets(
  network: Network,
  id: string,
  item: Item,
  conditions: readonly Condition[],
): boolean {
  for (const condition of conditions) {
    if (condition.kind === "number") {
      const value = network.quantities[condition.quantity][item];
      if (!(condition.low <= value && value <= condition.high)) return false;
    } else if (condition.kind === "text" && condition.field === "name") {
      if (match(condition.pattern, id) === null) return false;
    }
  }
  return true;
}

/** Whether a shape has the sizes in a row; `?` and nothing stand for any size. */
function hasSizes(shape: string, sizes: readonly string[]): boolean {
  const there = shape.toLowerCase().split("×");
  for (let from = 0; from + sizes.length <= there.length; from++) {
    if (sizes.every((size, at) => size === "" || size === "?" || size === there[from + at]))
      return true;
  }
  return false;
}

function hitOf(
  { network, ids, shared, sharedOf }: Haystack,
  item: Item,
  pattern: Pattern | null,
): Hit {
  const id = ids[item];
  const name = id.lastIndexOf(".") + 1;
  const texts = shared[sharedOf[item]];
  const whole: Hit = { item, place: "name", text: id || network.name, start: 0, end: 0 };
  if (pattern === null) return whole;
  const places: [Place, string, number][] = [
    ["name", id, name],
    ["class", texts.label, 0],
    ["path", id, 0],
    ["class", texts.type, 0],
    ["attribute", texts.attribute, 0],
    ["shape", texts.shape, 0],
  ];
  for (const [place, text, from] of places) {
    const searched = text.slice(Math.max(from, text.length - pattern.longest));
    const found = pattern.regex.exec(searched);
    if (found === null) continue;
    const start = text.length - searched.length + found.index;
    return { item, place, text, start, end: start + found[0].length };
  }
  return whole;
}
