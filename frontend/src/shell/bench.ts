/** What the parts of the page share: the view, the canvas that shows it, and the panels. */

import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { Network } from "../graph/network";
import type { RunStore } from "../runs/store";
import type { State } from "../view/state";
import type { View } from "../view/store";
import type { Comparison } from "./comparison";
import type { Painter } from "./paint";
import type { Prefs, PrefsStore } from "./prefs";
import type { Viewer } from "./viewer";

/** Where a menu is to open, and for which item. */
export interface MenuPlace {
  readonly item: number;
  readonly x: number;
  readonly y: number;
}

/** Everything that parts of the page may need of each other. */
export interface Bench {
  readonly view: View;
  readonly network: Network;
  /** The canvas, null until it is up. */
  readonly viewer: Viewer | null;
  readonly painter: Painter;
  readonly comparison: Comparison | null;
  /** The recorded run that is shown on the network, if one is. */
  readonly run: RunStore | null;
  readonly prefs: PrefsStore;
  readonly root: HTMLElement;
  /** Whether it is all of a page, whose address then leads to what is seen. */
  readonly wholePage: boolean;
  /** Goes to an item of the other one of two canvases. */
  readonly revealElsewhere: (item: number) => void;
  readonly openMenu: (place: MenuPlace | null) => void;
  readonly openHelp: () => void;
  readonly focusSearch: () => void;
  /** A step back (-1) or forward (1), as the browser's own buttons do it on a page of its own. */
  readonly travel: (by: -1 | 1) => void;
}

export const BenchContext = createContext<Bench | null>(null);

/** The bench around a component. */
export function useBench(): Bench {
  const bench = useContext(BenchContext);
  if (!bench) throw new Error("Components of the viewer stand inside of a bench.");
  return bench;
}

/** A part of the state, kept up to date. */
export function useView<T>(pick: (state: State) => T): T {
  return useStore(useBench().view.store, pick);
}

/** A part of the preferences, kept up to date. */
export function usePrefs<T>(pick: (prefs: Prefs) => T): T {
  return useStore(useBench().prefs.store, pick);
}
