/** The address bar: a link that restores what is seen. */

import { type RunStore, stepNow } from "../runs/store";
import { decodeLink, encodeLink } from "../view/link";
import type { CompareMode, State, Stop } from "../view/state";
import { firstState, placeOf, type View } from "../view/store";
import { newName, ownsHistory, pushEntry, readMark, replaceEntry } from "./trail";
import type { Viewer } from "./viewer";

/** What an address says: which networks, and a place in them. */
export interface Address {
  readonly id: string | null;
  readonly other: string | null;
  /** Id of a run, and where in it one looks. */
  readonly run: string | null;
  readonly step: number | null;
  readonly measure: string | null;
  readonly mode: CompareMode | null;
  readonly link: string;
}

/** What a server was asked for: a network, two of them, or a run. */
export interface Shown {
  readonly id: string;
  readonly other: string | null;
  readonly run: RunStore | null;
}

/** The same by its ids. */
export interface ShownId {
  readonly id: string;
  readonly other: string | null;
  readonly run: boolean;
}

const DELAY = 400;
const MODES: readonly CompareMode[] = ["merged", "side-by-side"];

/** Reads the address of the page. */
export function readAddress(): Address {
  const parts = location.hash.slice(1).split("&");
  const said = (name: string) => {
    const part = parts.find((one) => one.startsWith(`${name}=`));
    try {
      return part === undefined ? null : decodeURIComponent(part.slice(name.length + 1));
    } catch {
      return null;
    }
  };
  const mode = MODES.find((one) => one === said("compare")) ?? null;
  const step = said("step");
  return {
    id: said("network"),
    other: said("with"),
    run: said("run"),
    step: step !== null && /^[0-9]{1,15}$/.test(step) ? Number(step) : null,
    measure: said("measure"),
    mode,
    link: location.hash.slice(1),
  };
}

/** Whether an address is of something else than what is shown. */
export function leadsElsewhere(said: Address, shown: Shown | null): boolean {
  if (said.id === null && said.run === null) return false;
  const { id = null, other = null, run = null } = shown ?? {};
  return run ? said.run !== id : said.id !== id || said.other !== other;
}

/** Spells the address of a network, of two that are compared, or of a run. */
export function spellShown({ id, other, run }: ShownId): string {
  const parts = [`${run ? "run" : "network"}=${encodeURIComponent(id)}`];
  if (other !== null) parts.push(`with=${encodeURIComponent(other)}`);
  return `#${parts.join("&")}`;
}

/** Spells the address of a place: that one is at now, or one that was just left. */
function spellAddress(view: View, shown: Shown | null, { camera, ...place }: Stop): string {
  const parts: string[] = [];
  if (shown) parts.push(spellShown({ ...shown, run: shown.run !== null }).slice(1));
  if (shown?.run) parts.push(...runParts(shown.run));
  const { compare } = view.store.getState();
  if (compare !== "merged") parts.push(`compare=${compare}`);
  parts.push(encodeLink(view.network, place, camera));
  return `#${parts.join("&")}`;
}

function runParts(run: RunStore): string[] {
  const state = run.store.getState();
  const { measure, step } = state;
  return [
    ...(measure ? [`measure=${measure.id}`] : []),
    // At the end of a run one stays at its end.
    ...(step === null ? [] : [`step=${stepNow(state) ?? step}`]),
  ];
}

/**
 * Keeps the browser's history in step with a view, and the view with that; gives what ends it.
 *
 * A step of the view is a new entry. Everything else, such as where the camera is, goes into the
 * address of the present entry a moment later.
 */
export function followAddress(view: View, viewer: Viewer, shown: Shown | null): () => void {
  const own = ownsHistory();
  const { store, actions } = view;
  let name = newName();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = false;
  const here = (): Stop => {
    const place = placeOf(store.getState());
    return { ...place, camera: place.dimension === "2d" ? viewer.camera() : null };
  };
  const before = () => readMark()?.before ?? 0;
  const mark = () => (own ? { view: name, at: store.getState().at, before: before() } : null);
  const settle = (stop: Stop) => {
    clearTimeout(timer);
    timer = undefined;
    replaceEntry(own ? (readMark() ?? mark()) : null, spellAddress(view, shown, stop));
  };
  const write = () => {
    clearTimeout(timer);
    timer = setTimeout(() => settle(here()), DELAY);
  };
  const follow = (now: State, then: State) => {
    if (now.hovered !== then.hovered) return;
    const left = now.past.at(-1);
    if (own && !reading && now.steps !== then.steps && left) {
      // What is left has its own address, also if it was there for a moment only.
      if (timer !== undefined) settle(left);
      pushEntry(name, now.at, location.href);
    }
    write();
  };
  const read = () => {
    const said = readAddress();
    if (leadsElsewhere(said, shown)) return;
    clearTimeout(timer);
    timer = undefined;
    const found = readMark();
    reading = true;
    if (found?.view !== name || !actions.travel(found.at - store.getState().at)) {
      const { place, camera } = decodeLink(view.network, said.link);
      const whole = { ...placeOf(firstState(view.network)), ...place };
      if (said.measure !== null) shown?.run?.measureBy(said.measure);
      if (said.step !== null) shown?.run?.toStep(said.step);
      if (found) {
        actions.restore(whole, camera);
        // Steps that were before and after this one are read from their addresses as well.
        name = newName();
      } else {
        actions.go(whole);
        if (camera) viewer.stage.setCamera(camera, { animate: false });
      }
    }
    reading = false;
    if (own) replaceEntry(mark(), location.href);
  };
  if (own) replaceEntry(mark(), location.href);
  const ends = [
    store.subscribe(follow),
    viewer.onCamera(write),
    shown?.run?.store.subscribe((now, then) => {
      if (now.step !== then.step || now.measure !== then.measure) write();
    }) ?? (() => {}),
    () => removeEventListener("popstate", read),
    () => clearTimeout(timer),
  ];
  addEventListener("popstate", read);
  return () => {
    for (const end of ends) end();
  };
}
