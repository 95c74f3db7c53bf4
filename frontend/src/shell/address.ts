/** The address bar: a link that restores what is seen. */

import { decodeLink, encodeLink } from "../view/link";
import type { CompareMode } from "../view/state";
import { firstState, placeOf, type View } from "../view/store";
import type { Viewer } from "./viewer";

/** What an address says: which networks, and a place in them. */
export interface Address {
  readonly id: string | null;
  readonly other: string | null;
  readonly mode: CompareMode | null;
  readonly link: string;
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
  return { id: said("network"), other: said("with"), mode, link: location.hash.slice(1) };
}

/** Spells the address of what is seen now. */
export function spellAddress(
  view: View,
  viewer: Viewer,
  shown: { readonly id: string; readonly other: string | null } | null,
): string {
  const parts: string[] = [];
  if (shown) parts.push(`network=${encodeURIComponent(shown.id)}`);
  if (shown?.other) parts.push(`with=${encodeURIComponent(shown.other)}`);
  const { compare } = view.store.getState();
  if (compare !== "merged") parts.push(`compare=${compare}`);
  const place = placeOf(view.store.getState());
  const camera = place.dimension === "2d" ? viewer.camera() : null;
  parts.push(encodeLink(view.network, place, camera));
  return `#${parts.join("&")}`;
}

/** Keeps the address in step with a view, and the view with the address; gives what ends that. */
export function followAddress(
  view: View,
  viewer: Viewer,
  shown: { readonly id: string; readonly other: string | null } | null,
): () => void {
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
    if (said.id !== null && said.id !== (shown?.id ?? null)) {
      location.reload();
      return;
    }
    const { place, camera } = decodeLink(view.network, said.link);
    view.actions.go({ ...placeOf(firstState(view.network)), ...place });
    if (camera) viewer.stage.setCamera(camera, { animate: false });
  };
  const ends = [
    view.store.subscribe((now, before) => {
      if (now.hovered === before.hovered) write();
    }),
    viewer.onCamera(write),
    () => removeEventListener("hashchange", read),
    () => clearTimeout(timer),
  ];
  addEventListener("hashchange", read);
  return () => {
    for (const end of ends) end();
  };
}
