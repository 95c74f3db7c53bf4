/** What is open: a network or two, their views, and where they start. */

import type { Network } from "../graph/network";
import type { Document } from "../graph/read";
import type { Camera } from "../scene/stage";
import { decodeLink } from "../view/link";
import { deepest, opened, toDepth } from "../view/opening";
import type { CompareMode, State } from "../view/state";
import { createView, type View } from "../view/store";
import type { Wire, WireTopology } from "../wire";
import type { Comparison } from "./comparison";
import { createPainter, type Painter } from "./paint";

/** How a page wants the viewer to start: what `data-` attributes of its element say. */
export interface Hints {
  readonly theme?: string;
  readonly depth?: string;
  readonly expanded?: string;
  readonly compare?: string;
}

/** One canvas and what it shows. */
export interface Pane {
  readonly view: View;
  readonly painter: Painter;
  readonly topology: WireTopology;
}

/** Everything that is open. */
export interface Session {
  readonly first: Pane;
  /** The other network, where two stand side by side. */
  readonly second: Pane | null;
  readonly comparison: Comparison | null;
  /** Where the camera was when a link was made. */
  readonly camera: Camera | null;
}

/** Opens what was sent. */
export function openSession(
  wire: Wire,
  document: Document,
  mode: CompareMode,
  start: { readonly hints: Hints; readonly link: string },
): Session {
  const [network] = document.networks;
  const pane = (shown: Network, at: number, marks: ArrayLike<number> | null): Pane => {
    const link = decodeLink(shown, start.link);
    const state = { ...hinted(shown, start.hints), ...link.place, compare: mode };
    return {
      view: createView(shown, state),
      painter: createPainter(shown, marks),
      topology: wire.networks[at].topology,
    };
  };
  return {
    first: pane(network, 0, null),
    second: null,
    comparison: null,
    camera: decodeLink(network, start.link).camera,
  };
}

/** What is open at first by what the page says; nothing if it leaves that to the viewer. */
function hinted(network: Network, { depth, expanded }: Hints): Partial<State> {
  const levels = Number(depth);
  const ids = names(expanded);
  if (!(levels >= 0) && ids.length === 0) return {};
  let open: ReadonlySet<number> = toDepth(
    network,
    Math.min(Math.max(1, levels || 1), deepest(network)),
  );
  let unfolded: ReadonlySet<number> = new Set();
  for (const id of ids) {
    const item = network.find(id);
    if (item === undefined || item < network.nodes) continue;
    ({ open, unfolded } = opened(network, { open, unfolded }, item));
    open = new Set(open).add(item);
  }
  return { open, unfolded };
}

function names(text: string | undefined): string[] {
  try {
    const said: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(said) ? said.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}
