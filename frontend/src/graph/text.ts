/** Numbers and names as people write and read them. Names come from models: any text at all. */

// Control characters, what formats and has no width (bidirectional controls would reorder the text
// around them), lone surrogates, separators of lines, non-characters.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu;
const USUAL = /^[ -~]*$/;
const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const SUFFIXES = ["", "k", "M", "G", "T", "P", "E"] as const;

/** Spells out what cannot be seen: `"a\nb\u202ec"` becomes `a\nb\u202ec` in visible letters. */
export function plain(text: string): string {
  if (USUAL.test(text)) return text;
  return text.replace(
    HIDDEN,
    (found) => ESCAPES[found] ?? `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** Cuts the middle out of a long text; of a dotted path the end says most. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const tail = Math.floor(((limit - 1) * 2) / 3);
  const letters = text.length > 4 * limit ? null : Array.from(text);
  if (letters === null || letters.length === text.length) {
    // No pairs of surrogates to keep together, or a text so long that an odd half is no loss.
    const head = text.slice(0, limit - 1 - tail).replace(/[\ud800-\udbff]$/, "");
    return `${head}…${text.slice(text.length - tail).replace(/^[\udc00-\udfff]/, "")}`;
  }
  if (letters.length <= limit) return text;
  return `${letters.slice(0, limit - 1 - tail).join("")}…${letters.slice(letters.length - tail).join("")}`;
}

/** Spells a number in three digits: `9.41 k`, `11.7 M`. */
export function count(number: number): string {
  return withUnit(number, "");
}

/** Spells a number of floating-point operations: `3.64 GFLOPs`. */
export function flops(number: number): string {
  return withUnit(number, "FLOPs");
}

/** Spells a size: `46.8 MB`, in powers of 1000. */
export function bytes(number: number): string {
  return withUnit(number, "B");
}

/** Spells a whole number with all of its digits: `11,689,512`. */
export function exact(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ","); // A hundred times faster than the locale.
}

function withUnit(number: number, unit: string): string {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "unknown" : number > 0 ? "∞" : "-∞";
  let thousands = 0;
  let value = number;
  while (Math.abs(value) >= 999.5 && thousands < SUFFIXES.length - 1) {
    value /= 1000;
    thousands++;
  }
  // As toPrecision(3) does it, without its price: this is asked for every box.
  const places = Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 10 : 100;
  const digits =
    Math.abs(value) >= 1 || value === 0
      ? Math.round(value * places) / places
      : Number(value.toPrecision(3));
  return `${digits} ${SUFFIXES[thousands]}${unit}`.trimEnd();
}
