/**
 * A view as text for the address bar, and back.
 *
 * What is open is told as a depth and the ids of the scopes that differ from it, so that a link
 * stays short, and still finds its way when the network has changed a little. What a link names
 * and the network does not have is passed over.
 */

import type { Item, Network } from "../graph/network";
import type { Camera } from "../scene/stage";
import { deepest, isScope, toDepth } from "./opening";
import { COLOURS, DIMENSIONS, type Place, type Trace } from "./state";

/** A place and the camera in it; what a link does not say is missing. */
export interface Link {
  readonly place: Partial<Place>;
  readonly camera: Camera | null;
}

/** Links longer than this are cut down to the depth. */
const LONGEST = 12_000;
const TRACES: readonly Trace["kind"][] = ["upstream", "downstream", "both", "path"];

/** Writes a place and a camera as what follows `#` in an address. */
export function encodeLink(network: Network, place: Place, camera: Camera | null): string {
  const parts = [`open=${encodeOpen(network, place.open)}`];
  const add = (name: string, value: string) => {
    if (parts.join("&").length + value.length < LONGEST) parts.push(`${name}=${value}`);
  };
  if (place.unfolded.size > 0) add("unfold", encodeItems(network, place.unfolded));
  if (place.selected !== null) add("at", encodeId(network, place.selected));
  if (place.trace) add("trace", encodeTrace(network, place.trace));
  if (place.colourBy !== "category") add("colour", place.colourBy);
  if (place.dimension !== "2d") add("as", place.dimension);
  if (camera)
    add("camera", [round(camera.x, 1), round(camera.y, 1), round(camera.zoom, 4)].join(","));
  return parts.join("&");
}

/** Reads what `encodeLink` wrote; garbage gives an empty link, never an error. */
export function decodeLink(network: Network, text: string): Link {
  const said = new Map<string, string>();
  for (const part of text.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) said.set(part.slice(0, at), part.slice(at + 1));
  }
  const place: { -readonly [name in keyof Place]?: Place[name] } = {};
  const open = decodeOpen(network, said.get("open"));
  if (open) place.open = open;
  const unfold = said.get("unfold");
  if (unfold !== undefined) place.unfolded = new Set(decodeItems(network, unfold));
  const selected = decodeId(network, said.get("at"));
  if (selected !== undefined) place.selected = selected;
  const trace = decodeTrace(network, said.get("trace"));
  if (trace) place.trace = trace;
  const colour = COLOURS.find((one) => one === said.get("colour"));
  if (colour) place.colourBy = colour;
  const dimension = DIMENSIONS.find((one) => one === said.get("as"));
  if (dimension) place.dimension = dimension;
  return { place, camera: decodeCamera(said.get("camera")) };
}

function encodeOpen(network: Network, open: ReadonlySet<Item>): string {
  const depth = nearestDepth(network, open);
  const base = toDepth(network, depth);
  const parts = [String(depth)];
  let length = 0;
  for (let item = network.nodes; item < network.nodes + network.scopes; item += 1) {
    if (base.has(item) === open.has(item)) continue;
    const id = encodeId(network, item);
    length += id.length + 1;
    if (length > LONGEST / 2) return String(depth);
    parts.push(id);
  }
  return parts.join("~");
}

/** The depth that differs in the fewest scopes. */
function nearestDepth(network: Network, open: ReadonlySet<Item>): number {
  const levels = deepest(network);
  const gain = new Int32Array(levels + 1);
  for (let item = network.nodes; item < network.nodes + network.scopes; item += 1) {
    gain[network.depth[item] + 1] += open.has(item) ? 1 : -1;
  }
  let best = 1;
  let most = 0;
  let sum = 0;
  for (let depth = 2; depth <= levels; depth += 1) {
    sum += gain[depth];
    if (sum > most) {
      most = sum;
      best = depth;
    }
  }
  return best;
}

function decodeOpen(network: Network, text: string | undefined): Set<Item> | null {
  if (text === undefined) return null;
  const [depth, ...ids] = text.split("~");
  if (!/^[0-9]{1,6}$/.test(depth)) return null;
  const open = toDepth(network, Math.min(Math.max(1, Number(depth)), deepest(network)));
  for (const id of ids) {
    const item = decodeId(network, id);
    if (item === undefined || !isScope(network, item) || item === network.root) continue;
    if (!open.delete(item)) open.add(item);
  }
  return open;
}

function encodeItems(network: Network, items: Iterable<Item>): string {
  return [...items].map((item) => encodeId(network, item)).join("~");
}

function decodeItems(network: Network, text: string): Item[] {
  const found = text.split("~").map((id) => decodeId(network, id));
  return found.filter((item) => item !== undefined);
}

function encodeTrace(network: Network, trace: Trace): string {
  const ends = trace.kind === "path" ? [trace.from, trace.to] : [trace.from];
  return [trace.kind, encodeItems(network, ends)].join("~");
}

function decodeTrace(network: Network, text: string | undefined): Trace | null {
  const [word, first, second] = (text ?? "").split("~");
  const kind = TRACES.find((one) => one === word);
  const from = decodeId(network, first);
  if (!kind || from === undefined) return null;
  if (kind !== "path") return { kind, from };
  const to = decodeId(network, second);
  return to === undefined ? null : { kind, from, to };
}

/** An id that a part of an address can hold: half a surrogate pair is no text. */
function encodeId(network: Network, item: Item): string {
  const text = network.ids[item].replace(/\p{Surrogate}/gu, "\ufffd");
  return encodeURIComponent(text).replaceAll("~", "%7E");
}

function decodeId(network: Network, text: string | undefined): Item | undefined {
  if (text === undefined) return undefined;
  try {
    return network.find(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

function decodeCamera(text: string | undefined): Camera | null {
  const numbers = (text ?? "").split(",").map((part) => (part === "" ? Number.NaN : Number(part)));
  if (numbers.length !== 3 || !numbers.every(Number.isFinite) || numbers[2] <= 0) return null;
  return { x: numbers[0], y: numbers[1], zoom: numbers[2] };
}

function round(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
