/**
 * The browser's own Back and Forward: each step of a view is an entry of the page's history.
 *
 * An entry has a mark that says which place it is of which view. Places of views that are gone,
 * as after a reload, are read from the address of the entry instead.
 */

import type { View } from "../view/store";

/** What is kept with an entry of the browser's history. */
export interface Mark {
  /** The view whose place it is; empty if it has none yet. */
  readonly view: string;
  /** Which of its places, as `State.at` counts them. */
  readonly at: number;
  /** Entries of ours before it. */
  readonly before: number;
}

const NAME = "visuai";

/**
 * Whether the browser's history is the viewer's to add to: in a frame it belongs to the page
 * around, and a step back there would take away a notebook.
 */
export function ownsHistory(): boolean {
  return window.parent === window;
}

/** The mark of the present entry; null if it has none, as when someone typed an address. */
export function readMark(): Mark | null {
  const state: unknown = history.state;
  const mark = (state as Readonly<Record<string, Partial<Mark>>> | null)?.[NAME];
  return typeof mark?.view === "string" && Number.isInteger(mark.at)
    ? { view: mark.view, at: Number(mark.at), before: Number(mark.before) || 0 }
    : null;
}

/** Adds an entry, one further than the present one; false where the browser does not let us. */
export function pushEntry(view: string, at: number, address: string): boolean {
  const mark: Mark = { view, at, before: (readMark()?.before ?? 0) + 1 };
  return attempt(() => history.pushState({ [NAME]: mark }, "", address));
}

/** Gives the present entry another mark or address, or takes its mark away. */
export function replaceEntry(mark: Mark | null, address: string): boolean {
  return attempt(() => history.replaceState(mark && { [NAME]: mark }, "", address));
}

/** A name for a view that no entry has yet. */
export function newName(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
}

/** Goes a step back (-1) or forward (1): by the browser's history where that has our steps. */
export function travel(view: View, by: -1 | 1, wholePage: boolean): void {
  const { past, future } = view.store.getState();
  const mark = wholePage && ownsHistory() ? readMark() : null;
  if (mark === null) view.actions.travel(by);
  else if (by === -1 ? mark.before > 0 || past.length > 0 : future.length > 0) history.go(by);
}

/** Whether there is an entry of ours to go back to. */
export function leadsBack(wholePage: boolean): boolean {
  return wholePage && ownsHistory() && (readMark()?.before ?? 0) > 0;
}

/** A page from a file, or in a frame without rights, may not have an address of its own. */
function attempt(change: () => void): boolean {
  try {
    change();
    return true;
  } catch {
    return false;
  }
}
