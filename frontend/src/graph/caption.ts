/** What stands on a box, and how much room it takes. */

import type { Item, Network } from "./network";
import { count, plain, shorten } from "./text";

/** Texts of a box. */
export interface Caption {
  /** First line: the op, or a module's name and class. */
  readonly title: string;
  /** Second line, fainter: an op's name, shape, parameters. Empty on small boxes. */
  readonly detail: string;
}

/** Size of the first line of a box in pixels at zoom 1; that of an op that holds nothing. */
export const TITLE_SIZE = 13;
export const SMALL_SIZE = 11.5;
/** Size of the second line. */
export const DETAIL_SIZE = 10.5;
/** Heights of boxes with one line and with two. */
export const SMALL_HEIGHT = 24;
export const TALL_HEIGHT = 44;
/** Room for `×12` beside the title of a run of identical siblings. */
export const BADGE_WIDTH = 34;

const WIDEST_TITLE = 28;
/** Name and class of a scope: a long name is cut first, but not to nothing. */
const WIDEST_SCOPE = 32;
const WIDEST_CLASS = 22;
const LEAST_NAME = 13;
const WIDEST_NAME = 20;
const WIDEST_SHAPE = 20;
const WINDOW = /(kernel_size|stride)=\(?(\d+)(?:, (\d+))?(?:, (\d+))?\)?/g;

/** Tells whether an op holds no parameters and is drawn small, with its name alone. */
export function isSmall(network: Network, item: Item): boolean {
  if (item >= network.nodes || network.quantities.parameters[item] > 0) return false;
  return network.words.opKind(item).startsWith("call");
}

/** Gives the texts of an item's box; a scope says the same when it is open. */
export function caption(network: Network, item: Item): Caption {
  return isSmall(network, item)
    ? { title: shorten(network.label(item), WIDEST_TITLE), detail: "" }
    : { title: title(network, item), detail: detail(network, item) };
}

function title(network: Network, item: Item): string {
  const label = network.label(item);
  if (item >= network.nodes) {
    // As PyTorch prints it: what tells `0: BasicBlock` from its siblings is the name.
    const name = item === network.root ? label : localName(network, item);
    return name === label ? shorten(label, WIDEST_TITLE) : scopeTitle(name, label);
  }
  const opKind = network.words.opKind(item);
  if (opKind === "placeholder") return shorten(localName(network, item), WIDEST_TITLE);
  if (opKind === "get_attr")
    return shorten(network.words.fqn(item) || localName(network, item), WIDEST_TITLE);
  const settings = network.words.settings(item);
  const window = settings === "" ? "" : windowOf(settings);
  return shorten(window === "" ? label : `${label} ${window}`, WIDEST_TITLE);
}

function scopeTitle(name: string, label: string): string {
  const type = shorten(label, WIDEST_CLASS);
  return `${shorten(name, Math.max(WIDEST_SCOPE - type.length - 2, LEAST_NAME))}: ${type}`;
}

function detail(network: Network, item: Item): string {
  const spec = network.specs[network.gives[item]];
  const shape = spec === undefined ? "" : shorten(spec.text, WIDEST_SHAPE);
  const isModule = item < network.nodes && network.words.opKind(item) === "call_module";
  const parameters = network.quantities.parameters[item];
  const name = isModule ? localName(network, item) : "";
  let text = name === network.label(item) ? "" : shorten(name, WIDEST_NAME);
  for (const part of [shape, parameters > 0 ? count(parameters) : ""]) {
    if (part !== "") text = text === "" ? part : `${text} · ${part}`;
  }
  return text;
}

/** Name of an item as seen from the scope around it: `0.conv1` in `layer1`. */
export function localName(network: Network, item: Item): string {
  if (network.parent[item] < 0) return network.name;
  return plain(network.ids[item].slice(startOfName(network, item)));
}

/** Where in an item's id its local name begins. */
function startOfName({ ids, parent }: Network, item: Item): number {
  const id = ids[item];
  const scope = ids[parent[item]];
  let length = scope.length;
  if (!id.startsWith(scope)) {
    const call = scope.indexOf("@"); // What is in `block@1` may be called as what is in `block`.
    if (call < 0 || !id.startsWith(scope.slice(0, call))) return 0;
    length = call;
  }
  return length > 0 && id[length] === "." ? length + 1 : 0;
}

/** Spells kernel and stride: `7×7/2`. */
function windowOf(settings: string): string {
  let kernel = "";
  let stride = "";
  for (const [, name, ...sizes] of settings.matchAll(WINDOW)) {
    const parts = sizes.filter((size) => size !== undefined);
    if (name === "kernel_size") kernel = parts.join("×");
    else stride = new Set(parts).size === 1 ? parts[0] : parts.join("×");
  }
  return kernel === "" || stride === "" || stride === "1" ? kernel : `${kernel}/${stride}`;
}

/** Width and height of the box of each item while it is closed, in pixels at zoom 1. */
export function boxSizes(network: Network): { width: Float32Array; height: Float32Array } {
  const items = network.nodes + network.scopes;
  const width = new Float32Array(items);
  const height = new Float32Array(items);
  const smallWidth = memo((label: string) => textWidth(shorten(label, WIDEST_TITLE), SMALL_SIZE));
  const detailWidth = detailWidths(network);
  for (let item = 0; item < items; item++) {
    if (isSmall(network, item)) {
      width[item] = Math.ceil(Math.max(40, smallWidth(network.label(item)) + 18));
      height[item] = SMALL_HEIGHT;
      continue;
    }
    const second = detailWidth(item);
    const badge = item >= network.nodes && network.repeat[item - network.nodes] > 1;
    const first = textWidth(title(network, item), TITLE_SIZE) * BOLD + (badge ? BADGE_WIDTH : 0);
    width[item] = Math.ceil(Math.max(72, Math.max(first, second) + 24));
    height[item] = second === 0 ? 30 : TALL_HEIGHT;
  }
  return { width, height };
}

/** Gives the width of `detail` without making the text, since that is asked of every item. */
function detailWidths(network: Network): (item: Item) => number {
  const { specs, gives, ids, quantities, nodes } = network;
  const shapes = memo((spec: number) => textWidth(shorten(specs[spec].text, WIDEST_SHAPE), 1));
  const counts = memo((number: number) => textWidth(count(number), 1));
  const between = textWidth(" · ", 1);
  return (item) => {
    let ems = 0;
    let parts = 0;
    if (item < nodes && network.words.opKind(item) === "call_module") {
      const id = ids[item];
      const start = startOfName(network, item);
      const label = network.label(item);
      if (id.length - start !== label.length || !id.endsWith(label)) {
        ems = nameWidth(id, start);
        parts = 1;
      }
    }
    if (gives[item] >= 0) {
      ems += shapes(gives[item]);
      parts++;
    }
    if (quantities.parameters[item] > 0) {
      ems += counts(quantities.parameters[item]);
      parts++;
    }
    return (ems + between * Math.max(parts - 1, 0)) * DETAIL_SIZE;
  };
}

function nameWidth(id: string, start: number): number {
  let ems = 0;
  if (id.length - start > WIDEST_NAME)
    return textWidth(shorten(plain(id.slice(start)), WIDEST_NAME), 1);
  for (let at = start; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code < 32 || code > 126) return textWidth(shorten(plain(id.slice(start)), WIDEST_NAME), 1);
    ems += EMS[code];
  }
  return ems;
}

function memo<Key>(make: (key: Key) => number): (key: Key) => number {
  const known = new Map<Key, number>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = make(key);
      known.set(key, value);
    }
    return value;
  };
}

/** How much wider bold letters are. */
export const BOLD = 1.16;

// Widths of letters in a usual sans-serif font, in ems, a little on the wide side.
const EMS = new Float32Array(256).fill(0.61);
for (const letter of "iljtfrI.,:;'|!()[]· ") EMS[letter.charCodeAt(0)] = 0.35;
for (const letter of "0123456789") EMS[letter.charCodeAt(0)] = 0.64;
EMS["×".charCodeAt(0)] = 0.84;
for (const letter of "mwMW@%") EMS[letter.charCodeAt(0)] = 0.92;
for (const letter of "ABCDEFGHJKLNOPQRSTUVXYZ") EMS[letter.charCodeAt(0)] = 0.7;

/** Estimates the width of a text in a sans-serif font, in pixels. */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    ems += code < 256 ? EMS[code] : code < 0x1100 ? 0.62 : 1;
  }
  return ems * size;
}
