/** What the user asks for: `class:Conv shape:64 params:>1M layer4` in its parts. */

import type { Quantity } from "../graph/network";
import { compile, type Pattern } from "./pattern";

/** Texts that can be asked for by name. */
export type Field = "name" | "class" | "attribute" | "dtype" | "category";

/** A condition that hits must meet. */
export type Condition =
  | { readonly kind: "text"; readonly field: Field; readonly pattern: Pattern }
  | { readonly kind: "shape"; readonly sizes: readonly string[] }
  | {
      readonly kind: "number";
      readonly quantity: Quantity;
      readonly low: number;
      readonly high: number;
    };

/** A query, understood. */
export interface Query {
  /** What is looked for in all texts, null if there are conditions only. */
  readonly pattern: Pattern | null;
  readonly conditions: readonly Condition[];
  /** What was taken otherwise than it was written; null if nothing. */
  readonly note: string | null;
}

const FIELDS: Readonly<Record<string, Field>> = {
  name: "name",
  id: "name",
  fqn: "name",
  class: "class",
  type: "class",
  op: "class",
  attr: "attribute",
  dtype: "dtype",
  category: "category",
};
const QUANTITIES: Readonly<Record<string, Quantity>> = {
  params: "parameters",
  parameters: "parameters",
  flops: "flops",
  bytes: "activation_bytes",
  calls: "calls",
  ops: "nodes",
};
const POWERS = "kMGTP";

/** The words that can stand before a colon, for help. */
export const QUALIFIERS: readonly string[] = [
  ...Object.keys(FIELDS),
  "shape",
  ...Object.keys(QUANTITIES),
];

/** Understands a query; null if it asks for nothing. */
export function parse(text: string): Query | null {
  const conditions: Condition[] = [];
  const rest = text.replace(
    /(^|\s)([a-z]+):(?:"([^"]*)"|(\S+))(?=\s|$)/g,
    (whole, _space, word: string, quoted?: string, bare?: string) => {
      const condition = conditionOf(word, quoted ?? bare ?? "");
      if (condition === null) return whole;
      conditions.push(condition);
      return " ";
    },
  );
  const wanted = conditions.length > 0 ? rest.trim().replace(/\s+/g, " ") : text.trim();
  const pattern = wanted === "" ? null : compile(wanted);
  if (pattern === null && conditions.length === 0) return null;
  const patterns = conditions.map((one) => (one.kind === "text" ? one.pattern : null));
  const note = [pattern, ...patterns].find((one) => one?.note)?.note ?? null;
  return { pattern, conditions, note };
}

function conditionOf(word: string, value: string): Condition | null {
  if (value === "") return null;
  if (word === "shape") return { kind: "shape", sizes: value.split(/[×x,*]/).map(sizeText) };
  if (Object.hasOwn(FIELDS, word)) {
    return { kind: "text", field: FIELDS[word], pattern: compile(value) };
  }
  return Object.hasOwn(QUANTITIES, word) ? range(QUANTITIES[word], value) : null;
}

function sizeText(text: string): string {
  return text.trim().toLowerCase();
}

/** Reads `>1M`, `<=2.5k`, `3`, `1k..2M`. */
function range(quantity: Quantity, text: string): Condition | null {
  const found = /^(>=|<=|>|<|=)?(\d+(?:\.\d+)?)([kMGTP]?)(?:\.\.(\d+(?:\.\d+)?)([kMGTP]?))?$/.exec(
    text,
  );
  if (found === null) return null;
  const [, sign = "=", digits, suffix, end, endSuffix] = found;
  const value = Number(digits) * 1000 ** (POWERS.indexOf(suffix || "-") + 1);
  const made = (low: number, high: number): Condition => ({ kind: "number", quantity, low, high });
  if (end !== undefined) {
    return made(value, Number(end) * 1000 ** (POWERS.indexOf(endSuffix || "-") + 1));
  }
  if (sign === ">") return made(next(value), Number.POSITIVE_INFINITY);
  if (sign === ">=") return made(value, Number.POSITIVE_INFINITY);
  if (sign === "<") return made(0, before(value));
  return sign === "<=" ? made(0, value) : made(value, value);
}

// Quantities are whole numbers.
function next(value: number): number {
  return Math.floor(value) + 1;
}

function before(value: number): number {
  return Math.ceil(value) - 1;
}
