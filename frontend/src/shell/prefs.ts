/** What a user likes, remembered by the browser where it lets us. */

import { createStore } from "zustand/vanilla";
import type { Theme } from "../view/state";

/** Panels and theme. */
export interface Prefs {
  readonly outline: boolean;
  readonly panel: boolean;
  readonly outlineWidth: number;
  readonly panelWidth: number;
  readonly minimap: boolean;
  readonly legend: boolean;
  /** Whether a run is shown in full, or only its slider. */
  readonly dock: boolean;
  readonly theme: Theme;
}

/** Widths of the side panels, in pixels. */
export const NARROWEST = 180;
export const WIDEST = 560;

const KEY = "visuai.preferences";
const FIRST: Prefs = {
  outline: true,
  panel: true,
  outlineWidth: 264,
  panelWidth: 304,
  minimap: true,
  legend: true,
  dock: true,
  theme: "auto",
};

/** Makes the store of preferences of one viewer; `over` is not remembered until it is chosen. */
export function createPrefs(over: Partial<Prefs> = {}) {
  const store = createStore<Prefs>(() => ({ ...FIRST, ...remembered(), ...over }));
  return {
    store,
    /** Changes preferences and remembers them. */
    set: (change: Partial<Prefs>) => {
      store.setState(change);
      remember({ ...remembered(), ...change });
    },
  };
}

export type PrefsStore = ReturnType<typeof createPrefs>;

function remembered(): Partial<Prefs> {
  try {
    return checked(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>);
  } catch {
    return {};
  }
}

function checked(said: Record<string, unknown>): Partial<Prefs> {
  const found: Record<string, unknown> = {};
  for (const [name, first] of Object.entries(FIRST)) {
    const value = said[name];
    if (typeof value !== typeof first) continue;
    if (typeof value === "number") found[name] = Math.min(WIDEST, Math.max(NARROWEST, value));
    else if (name !== "theme" || value === "light" || value === "dark") found[name] = value;
  }
  return found as Partial<Prefs>;
}

function remember(prefs: Partial<Prefs>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // A page that may not keep anything works as well, it only forgets.
  }
}
