/** Patterns that users type: regular expressions where they can be run safely, else plain text. */

/** A pattern that is safe to run. */
export interface Pattern {
  readonly regex: RegExp;
  /** Longest text that it may be run on, so that its worst case stays short. */
  readonly longest: number;
  /** Why the pattern is taken as plain text; null if it is not. */
  readonly note: string | null;
}

// Longest texts by number of open repeats: one more repeat is one more power in the worst case.
const LONGEST = [100_000, 4000, 400, 150, 60] as const;

/**
 * Compiles a pattern; it minds upper and lower case if it has capitals.
 *
 * JavaScript's regular expressions backtrack: `(a+)+$` on thirty letters runs for minutes, and
 * nothing can stop it. Patterns with a repeat inside a repeat are therefore taken as text.
 */
export function compile(source: string): Pattern {
  const flags = /\p{Lu}/u.test(source.replace(/\\./gs, "")) ? "" : "i";
  const repeats = openRepeats(source);
  if (repeats === null || repeats >= LONGEST.length) {
    return literal(source, flags, "could take forever as a pattern, searched as text");
  }
  try {
    return { regex: new RegExp(source, flags), longest: LONGEST[repeats], note: null };
  } catch {
    return literal(source, flags, "not a valid pattern, searched as text");
  }
}

function literal(source: string, flags: string, note: string): Pattern {
  const escaped = source.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return { regex: new RegExp(escaped, flags), longest: LONGEST[0], note };
}

interface Group {
  /** Whether it can match texts of different length, or the same text in different ways. */
  varies: boolean;
}

/** Counts the repeats without a small end; null if there is one inside another, or a back reference. */
function openRepeats(source: string): number | null {
  const groups: Group[] = [{ varies: false }];
  let repeats = 0;
  let ended: Group | null = null; // The group that ends just before `at`.
  for (let at = 0; at < source.length; ) {
    const letter = source[at];
    const inside = groups[groups.length - 1];
    const repeat = /^(?:[*+?]|\{(\d*)(?:(,)(\d*))?\})\??/.exec(source.slice(at, at + 24));
    if (repeat !== null && at > 0) {
      const most = mostOf(repeat);
      if (most > 1 && ended?.varies) return null;
      if (most > 9) repeats++;
      if (letter !== "{" || repeat[2] !== undefined) inside.varies = true;
      ended = null;
      at += repeat[0].length;
      continue;
    }
    ended = null;
    if (letter === "\\") {
      if (/[1-9k]/.test(source[at + 1] ?? "")) return null;
      at += 2;
    } else if (letter === "[") {
      at = endOfClass(source, at);
    } else {
      if (letter === "(") groups.push({ varies: false });
      else if (letter === "|") inside.varies = true;
      else if (letter === ")" && groups.length > 1) {
        ended = groups.pop() ?? null;
        if (ended?.varies) groups[groups.length - 1].varies = true;
      }
      at++;
      const opening = letter === "(" ? /^\?(?:[:=!]|<[=!]|<\w+>)/.exec(source.slice(at)) : null;
      at += opening?.[0].length ?? 0;
    }
  }
  return repeats;
}

function mostOf(repeat: RegExpExecArray): number {
  const [text, least, comma, most] = repeat;
  if (text[0] === "?") return 1;
  if (text[0] !== "{") return Number.POSITIVE_INFINITY;
  if (comma === undefined) return Number(least);
  return most === undefined || most === "" ? Number.POSITIVE_INFINITY : Number(most);
}

function endOfClass(source: string, start: number): number {
  let at = start + 1;
  if (source[at] === "^") at++;
  while (at < source.length && source[at] !== "]") at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}
