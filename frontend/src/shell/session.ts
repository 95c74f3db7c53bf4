/** What is open: a network or two, their views, and where they start. */

import type { Network } from "../graph/network";
import { type Document, readWire } from "../graph/read";
import type { Camera } from "../scene/stage";
import { decodeLink } from "../view/link";
import { deepest, opened, toDepth } from "../view/opening";
import type { CompareMode, State } from "../view/state";
import { createView, type View } from "../view/store";
import type { Wire, WireNetwork } from "../wire";
import { type Compared, type Comparison, comparisonOf, seenBy } from "./comparison";
import { createPainter, type Painter } from "./paint";
import type { Matches } from "./tandem";

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
  readonly comparison: Comparison | null;
  /** Whether neither a link nor the page says what is open. */
  readonly fresh: boolean;
}

/** Everything that is open. */
export interface Session {
  /** One canvas, or two side by side. */
  readonly panes: readonly [Pane] | readonly [Pane, Pane];
  /** What was sent: one network, or two to compare. */
  readonly sent: readonly WireNetwork[];
  /** Items of the one network in the other, where two stand side by side. */
  readonly matches: Matches | null;
  /** Where the camera was when a link was made. */
  readonly camera: Camera | null;
}

/** What there is to open. */
export interface Opened {
  readonly document: Document;
  readonly sent: readonly WireNetwork[];
  readonly compared: Compared | null;
}

/** Reads what was sent. */
export function readOpened(wire: Wire): Opened {
  const document = readWire(wire);
  const [before, after] = document.networks;
  return {
    document,
    sent: wire.networks,
    compared: after && document.diff ? comparisonOf(before, after, document.diff) : null,
  };
}

/** Makes the views of what was sent. */
export function openSession(
  { document, sent, compared }: Opened,
  mode: CompareMode,
  start: { readonly hints: Hints; readonly link: string },
): Session {
  const pane = (network: Network, comparison: Comparison | null): Pane => {
    const { place } = decodeLink(network, start.link);
    const wanted = { ...hinted(network, start.hints), ...place };
    const state = { ...wanted, compare: mode };
    return {
      view: createView(network, state),
      painter: createPainter(network, comparison?.marks ?? null),
      comparison,
      fresh: wanted.open === undefined,
    };
  };
  const camera = (network: Network) => decodeLink(network, start.link).camera;
  if (!compared) {
    const [network] = document.networks;
    return { panes: [pane(network, null)], sent, matches: null, camera: camera(network) };
  }
  if (mode === "merged") {
    const { merged } = compared;
    return {
      panes: [pane(merged, seenBy(compared, 2))],
      sent,
      matches: null,
      camera: camera(merged),
    };
  }
  const [before, after] = compared.networks;
  return {
    panes: [pane(before, seenBy(compared, 0)), pane(after, seenBy(compared, 1))],
    sent,
    matches: compared.matches,
    camera: null,
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
