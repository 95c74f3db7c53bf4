/** Differences between two networks in words. */

import type { Json, WireChange } from "../wire";
import { plain } from "./text";

/** One difference, safe to show. */
export interface Details {
  readonly what: WireChange["what"];
  readonly kind: WireChange["kind"];
  /** Names in the first and the second network, null where there is none. */
  readonly before: string | null;
  readonly after: string | null;
  /** What has changed: name, before, after. */
  readonly rows: readonly (readonly [string, string, string])[];
}

/** Spells a difference. */
export function detailsOf(change: WireChange): Details {
  return {
    what: change.what,
    kind: change.kind,
    before: change.before === null ? null : plain(change.before),
    after: change.after === null ? null : plain(change.after),
    rows: Object.entries(change.details).map(([name, [before, after]]) => [
      plain(name),
      spell(before),
      spell(after),
    ]),
  };
}

/** Spells a value: shapes as `1×64 float32`, the rest as it is. */
function spell(value: Json | undefined): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return plain(value);
  if (Array.isArray(value)) {
    const sizes = value.every((one) => typeof one === "number" || typeof one === "string");
    return sizes ? value.map((one) => plain(String(one))).join("×") : value.map(spell).join(", ");
  }
  if (typeof value === "object") {
    if ("float" in value) return String(value.float);
    if (Array.isArray(value.shape)) {
      const shape = value.shape.map((size) => plain(String(size))).join("×") || "scalar";
      return `${shape} ${plain(String(value.dtype ?? ""))}`.trim();
    }
    return plain(JSON.stringify(value));
  }
  return String(value);
}
