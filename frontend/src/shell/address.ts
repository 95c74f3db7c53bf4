/** The address bar: a link that restores what is seen. */

import { type RunStore, stepNow } from "../runs/store";
import { decodeLink, encodeLink } from "../view/link";
import type { CompareMode } from "../view/state";
import { firstState, placeOf, type View } from "../view/store";
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

/** Spells the address of what is seen now. */
export function spellAddress(view: View, viewer: Viewer, shown: Shown | null): string {
  const parts: string[] = [];
  if (shown?.run) parts.push(...runParts(shown.run));
  else if (shown) parts.push(`network=${encodeURIComponent(shown.id)}`);
  if (shown?.other) parts.push(`with=${encodeURIComponent(shown.other)}`);
  const { compare } = view.store.getState();
  if (compare !== "merged") parts.push(`compare=${compare}`);
  const place = placeOf(view.store.getState());
  const camera = place.dimension === "2d" ? viewer.camera() : null;
  parts.push(encodeLink(view.network, place, camera));
  return `#${parts.join("&")}`;
}

function runParts(run: RunStore): string[] {
  const state = run.store.getState();
  const { measure, step } = state;
  return [
    `run=${encodeURIComponent(run.id)}`,
    ...(measure ? [`measure=${measure.id}`] : []),
    // At the end of a run one stays at its end.
    ...(step === null ? [] : [`step=${stepNow(state) ?? step}`]),
  ];
}

/** Keeps the address in step with a view, and the view with the address; gives what ends that. */
export function followAddress(view: View, viewer: Viewer, shown: Shown | null): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = location.hash;
  const write = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      written = spellAddress(view, viewer, shown);
      try {
        history.replaceState(null, "", written);
      } catch {
        // A page from a file or in a frame may not have an address of its own.
      }
    }, DELAY);
  };
  const read = () => {
    if (location.hash === written) return;
    const said = readAddress();
    const wanted = shown?.run ? said.run : said.id;
    const another = shown?.run ? said.id : said.run;
    if (another !== null || (wanted !== null && wanted !== (shown?.id ?? null))) {
      location.reload();
      return;
    }
    if (said.measure !== null) shown?.run?.measureBy(said.measure);
    if (said.step !== null) shown?.run?.toStep(said.step);
    const { place, camera } = decodeLink(view.network, said.link);
    view.actions.go({ ...placeOf(firstState(view.network)), ...place });
    if (camera) viewer.stage.setCamera(camera, { animate: false });
  };
  const ends = [
    view.store.subscribe((now, before) => {
      if (now.hovered === before.hovered) write();
    }),
    viewer.onCamera(write),
    shown?.run?.store.subscribe((now, before) => {
      if (now.step !== before.step || now.measure !== before.measure) write();
    }) ?? (() => {}),
    () => removeEventListener("hashchange", read),
    () => clearTimeout(timer),
  ];
  addEventListener("hashchange", read);
  return () => {
    for (const end of ends) end();
  };
}
