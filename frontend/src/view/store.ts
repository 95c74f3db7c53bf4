/** The store: the state of one viewer and everything that can be done to it. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Item, Network } from "../graph/network";
import type { Camera, Dimension } from "../scene/stage";
import { leave, travel } from "./history";
import {
  ancestors,
  deepest,
  depthOf,
  firstOpening,
  isScope,
  kin,
  opened,
  repeatOf,
  runFirst,
  shownBy,
  toDepth,
} from "./opening";
import type { ColourBy, CompareMode, Direction, Place, State, Stop } from "./state";

/** What can be done. Items that are not scopes cannot be opened: such calls do nothing. */
export interface Actions {
  readonly toggle: (scope: Item) => void;
  readonly setOpen: (scope: Item, open: boolean) => void;
  readonly openAll: () => void;
  readonly closeAll: () => void;
  /** Opens every scope of the same class; closes them if this one is open. */
  readonly openKind: (scope: Item) => void;
  readonly openToDepth: (depth: number) => void;
  /** Shows a run of identical siblings one by one, or folds it again. */
  readonly unfold: (item: Item) => void;
  readonly unfoldAll: (unfolded: boolean) => void;
  readonly select: (item: Item | null) => void;
  /** Selects on the way from box to box: however far it leads, it is one step of history. */
  readonly walk: (item: Item) => void;
  readonly hover: (item: Item | null) => void;
  /** Opens what is around an item, selects it, and flies there. */
  readonly reveal: (item: Item) => void;
  /** Flies to items, or to the whole picture, and changes nothing else. */
  readonly fly: (items: readonly Item[] | null) => void;
  readonly trace: (kind: Direction, from: Item) => void;
  /** Lights the shortest path. Without an end, the next item that is selected is the end. */
  readonly path: (from: Item, to?: Item) => void;
  readonly clear: () => void;
  readonly colour: (by: ColourBy) => void;
  readonly dimension: (dimension: Dimension) => void;
  readonly compare: (mode: CompareMode) => void;
  readonly search: (query: string) => void;
  /** Lights what a search found. */
  readonly light: (found: ReadonlySet<Item> | null) => void;
  readonly say: (message: string) => void;
  readonly back: () => void;
  readonly forward: () => void;
  /** Goes so many steps back, if below 0, or forward; false if there are not so many. */
  readonly travel: (steps: number) => boolean;
  /** Goes to a place, as one step of history. */
  readonly go: (place: Partial<Place>) => void;
  /** The same for what follows another view: a step also where nothing of it changes here. */
  readonly step: (change: Partial<State>) => void;
  /** Goes to a place that is remembered elsewhere; the history here starts anew with it. */
  readonly restore: (place: Partial<Place>, camera: Camera | null) => void;
  /** Tells history from where places are seen. */
  readonly lookFrom: (camera: () => Camera | null) => void;
}

/** A store and its actions. */
export interface View {
  readonly network: Network;
  readonly store: StoreApi<State>;
  readonly actions: Actions;
}

/** The part of a state that history keeps. */
export function placeOf(state: State): Place {
  const { open, unfolded, selected, trace, colourBy, dimension } = state;
  return { open, unfolded, selected, trace, colourBy, dimension };
}

/** Where a viewer starts. */
export function firstState(network: Network): State {
  return {
    open: firstOpening(network),
    unfolded: new Set(),
    selected: null,
    trace: null,
    colourBy: "category",
    dimension: "2d",
    hovered: null,
    query: "",
    found: null,
    compare: "merged",
    pathFrom: null,
    flight: null,
    anchor: null,
    message: "",
    past: [],
    future: [],
    at: 0,
    steps: 0,
    walking: false,
  };
}

/** Makes the store of a viewer of one network. */
export function createView(network: Network, start: Partial<State> = {}): View {
  const store = createStore<State>(() => ({ ...firstState(network), ...start }));
  const name = (item: Item) => network.label(item);
  let look: () => Camera | null = () => null;
  const stop = (state: State): Stop => ({ ...placeOf(state), camera: look() });

  function go(place: Partial<Place>, rest: Partial<State> = {}): void {
    const now = store.getState();
    const keys = Object.keys(place) as (keyof Place)[];
    if (keys.every((key) => now[key] === place[key])) {
      store.setState(rest);
      return;
    }
    step({ ...place, ...rest });
  }

  function step(change: Partial<State>): void {
    const now = store.getState();
    const { at, steps } = now;
    const left = leave(now, stop(now));
    store.setState({ walking: false, ...change, ...left, at: at + 1, steps: steps + 1 });
  }

  function setOpen(scope: Item, open: boolean): void {
    const now = store.getState();
    if (!isScope(network, scope) || scope === network.root || now.open.has(scope) === open) return;
    const next = new Set(now.open);
    if (open) next.add(scope);
    else next.delete(scope);
    const message = `${name(scope)} ${open ? "opened" : "closed"}`;
    go({ open: next }, { anchor: scope, message });
  }

  function openToDepth(depth: number): void {
    const level = Math.max(1, Math.min(depth, deepest(network)));
    const { open } = store.getState();
    const next = toDepth(network, level);
    if (next.size === open.size && [...next].every((item) => open.has(item))) return;
    go(
      { open: next },
      { anchor: null, message: `Open to depth ${level}`, flight: { items: null } },
    );
  }

  function select(item: Item | null): void {
    const { pathFrom } = store.getState();
    if (pathFrom !== null && item !== null && item !== pathFrom) path(pathFrom, item);
    else go({ selected: item }, { message: item === null ? "" : `${name(item)} selected` });
  }

  function walk(item: Item): void {
    const { walking } = store.getState();
    const message = `${name(item)} selected`;
    if (walking) store.setState({ selected: item, message });
    else go({ selected: item }, { message, walking: true });
  }

  function path(from: Item, to?: Item): void {
    if (to === undefined) {
      store.setState({ pathFrom: from, message: `Path from ${name(from)}: choose where to` });
      return;
    }
    const trace = { kind: "path", from, to } as const;
    go(
      { selected: to, trace },
      { pathFrom: null, message: `Path from ${name(from)} to ${name(to)}` },
    );
  }

  function goBy(steps: number): boolean {
    const now = store.getState();
    const found = travel(now, stop(now), steps);
    if (!found) return steps === 0;
    const [{ camera, ...place }, history] = found;
    arrive(place, camera, { ...history, at: now.at + steps });
    return true;
  }

  function arrive(place: Partial<Place>, camera: Camera | null, rest: Partial<State>): void {
    const flight = camera ? { flight: { items: null, camera } } : {};
    store.setState({ ...place, ...rest, ...flight, anchor: null, pathFrom: null, walking: false });
  }

  const actions: Actions = {
    toggle: (scope) => setOpen(scope, !store.getState().open.has(scope)),
    setOpen,
    openAll: () => openToDepth(deepest(network)),
    closeAll: () => openToDepth(1),
    openKind: (scope) => {
      if (!isScope(network, scope)) return;
      const next = new Set(store.getState().open);
      const opening = !next.has(scope);
      const same = kin(network, scope);
      for (const item of same) {
        if (opening) next.add(item);
        else next.delete(item);
      }
      const message = `${same.length} × ${name(scope)} ${opening ? "opened" : "closed"}`;
      go({ open: next }, { anchor: scope, message });
    },
    openToDepth,
    unfold: (item) => {
      const first = runFirst(network, item);
      if (repeatOf(network, first) < 2) return;
      const next = new Set(store.getState().unfolded);
      const unfolding = !next.delete(first);
      if (unfolding) next.add(first);
      const message = `${repeatOf(network, first)} × ${name(first)} ${unfolding ? "unfolded" : "folded"}`;
      go({ unfolded: next }, { anchor: first, message });
    },
    unfoldAll: (unfolded) => {
      const next = new Set<Item>();
      if (unfolded) {
        for (let at = 0; at < network.scopes; at += 1) {
          if (network.repeat[at] > 1) next.add(network.nodes + at);
        }
      }
      go(
        { unfolded: next },
        { anchor: null, message: unfolded ? "Repeats unfolded" : "Repeats folded" },
      );
    },
    select,
    walk,
    hover: (item) => {
      if (store.getState().hovered !== item) store.setState({ hovered: item });
    },
    reveal: (item) => {
      const now = store.getState();
      const flight = { items: [item] };
      if (now.pathFrom !== null && item !== now.pathFrom) {
        path(now.pathFrom, item);
        store.setState({ flight });
        return;
      }
      const message = `${name(item)} selected`;
      if (shownBy(network, now, item) === item) go({ selected: item }, { flight, message });
      else go({ selected: item, ...opened(network, now, item) }, { flight, message, anchor: null });
    },
    fly: (items) => store.setState({ flight: { items } }),
    trace: (kind, from) => {
      const words = { upstream: "What leads to", downstream: "What follows from", both: "Around" };
      go(
        { selected: from, trace: { kind, from } },
        { message: `${words[kind]} ${name(from)} is lit` },
      );
    },
    path,
    clear: () => {
      const { pathFrom, trace } = store.getState();
      if (pathFrom !== null) store.setState({ pathFrom: null, message: "" });
      else if (trace) go({ trace: null }, { message: "Everything is lit again" });
      else go({ selected: null }, { message: "" });
    },
    colour: (colourBy) => go({ colourBy }, { message: `Coloured by ${words(colourBy)}` }),
    dimension: (dimension) => go({ dimension }, { message: `Shown in ${words(dimension)}` }),
    compare: (compare) => store.setState({ compare }),
    search: (query) => store.setState(query === "" ? { query, found: null } : { query }),
    light: (found) => store.setState({ found }),
    say: (message) => store.setState({ message }),
    back: () => goBy(-1),
    forward: () => goBy(1),
    travel: goBy,
    go: (place) => go(place, { anchor: null }),
    step,
    restore: (place, camera) => arrive(place, camera, { past: [], future: [], at: 0 }),
    lookFrom: (camera) => {
      look = camera;
    },
  };
  return { network, store, actions };
}

/** The item that arrow keys go to from a closed or open scope: up to what is around it. */
export function around(view: View, item: Item): Item | null {
  const outer = ancestors(view.network, item)[0];
  return outer === undefined || outer === view.network.root ? null : outer;
}

/** The depth that the stepper shows. */
export function shownDepth(view: View): number {
  return depthOf(view.network, view.store.getState().open);
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}
