/** Remembers sheets by what they were made from: scopes that are the same inside share one. */

import type { Sheet, Task } from "./sheet";

/** Sheets by a hash of their tasks. */
export interface Memo {
  readonly sheets: Map<number, { readonly task: Task; readonly sheet: Sheet }[]>;
  size: number;
}

/** Numbers that are remembered before all is forgotten: some tens of megabytes. */
const MOST = 4_000_000;

/** A memo that remembers nothing yet. */
export function emptyMemo(): Memo {
  return { sheets: new Map(), size: 0 };
}

/** The sheet of a task, made only if no same task was laid out before. */
export function remembered(memo: Memo, task: Task, make: (task: Task) => Sheet): Sheet {
  const key = hashOf(task);
  const found = memo.sheets.get(key)?.find((each) => same(each.task, task));
  if (found !== undefined) return found.sheet;
  const sheet = make(task);
  if (memo.size > MOST) {
    memo.sheets.clear();
    memo.size = 0;
  }
  const others = memo.sheets.get(key);
  if (others === undefined) memo.sheets.set(key, [{ task, sheet }]);
  else others.push({ task, sheet });
  memo.size += 8 * task.boxes + 12 * task.from.length + 8;
  return sheet;
}

function listsOf(task: Task): readonly (Float64Array | Int32Array)[] {
  const { width, height, inAxis, outAxis, from, to, fromAt, toAt } = task;
  return [width, height, inAxis, outAxis, from, to, fromAt, toAt];
}

function numbersOf(task: Task): readonly number[] {
  const { inPorts, boxes, outPorts, header, pad, least, aspect, tall } = task;
  return [inPorts, boxes, outPorts, header, pad, least, aspect, tall];
}

/** A number that is the same for the same tasks, and seldom for others. */
function hashOf(task: Task): number {
  let hash = 0x811c9dc5;
  const take = (value: number): void => {
    hash = Math.imul(hash ^ (value * 64), 0x01000193);
    hash ^= hash >>> 15;
  };
  for (const value of numbersOf(task)) take(value);
  for (const list of listsOf(task)) for (let at = 0; at < list.length; at++) take(list[at]);
  return hash >>> 0;
}

function same(a: Task, b: Task): boolean {
  const others = numbersOf(b);
  if (!numbersOf(a).every((value, at) => value === others[at])) return false;
  const lists = listsOf(b);
  return listsOf(a).every((list, which) => {
    const other = lists[which];
    if (list.length !== other.length) return false;
    for (let at = 0; at < list.length; at++) if (!Object.is(list[at], other[at])) return false;
    return true;
  });
}
