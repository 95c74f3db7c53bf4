/** The place of a canvas in the page. */

import { useEffect, useRef, useState } from "react";
import { exact, plain } from "../graph/text";
import type { View } from "../view/store";
import { useBench, useView } from "./bench";
import { Icon } from "./icons";
import { traced } from "./lit";
import { Name } from "./name";
import type { Painter } from "./paint";
import { createViewer, type Start, type Viewer, type ViewerEvents } from "./viewer";

interface CanvasProps {
  readonly view: View;
  readonly painter: Painter;
  readonly theme: "light" | "dark";
  /** Written above the canvas where there are two. */
  readonly title: string | null;
  readonly start: Start;
  readonly events: ViewerEvents;
  readonly ready: (viewer: Viewer | null) => void;
  /** Called when this canvas is the one that is used. */
  readonly lead: () => void;
}

/** Holds the canvas of a view; `ready` is called with it, and with null when it goes. */
export function Canvas({ view, painter, theme, title, start, events, ready, lead }: CanvasProps) {
  const place = useRef<HTMLDivElement>(null);
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const latest = useRef({ events, ready, start });
  latest.current = { events, ready, start };

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = createViewer(
      view,
      element,
      painter,
      {
        onMenu: (...all) => latest.current.events.onMenu(...all),
        onTrouble: (...all) => latest.current.events.onTrouble(...all),
        onPointer: (...all) => latest.current.events.onPointer(...all),
      },
      latest.current.start,
    );
    setViewer(made);
    latest.current.ready(made);
    return () => {
      latest.current.ready(null);
      setViewer(null);
      made.dispose();
    };
  }, [view, painter]);

  useEffect(() => viewer?.setTheme(theme), [viewer, theme]);

  useEffect(() => {
    const canvas = viewer?.stage.element;
    if (!canvas) return;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "drawing");
    canvas.setAttribute(
      "aria-label",
      `Drawing of ${plain(view.network.name.slice(0, 80))}. Arrow keys go from box to box, Enter ` +
        "opens one, the question mark lists the keys. The outline has the same as a tree.",
    );
  }, [viewer, view]);

  return (
    <div
      className="vz-pane"
      onPointerDownCapture={lead}
      onWheelCapture={lead}
      onFocusCapture={lead}
    >
      {title === null ? null : (
        <h2 className="vz-pane-title">
          <Name text={title} />
        </h2>
      )}
      <div ref={place} className="vz-canvas" />
    </div>
  );
}

/** A thin line on top while a layout takes long. */
export function Busy({ viewer }: { viewer: Viewer | null }) {
  const [busy, setBusy] = useState(false);
  useEffect(() => viewer?.onBusy(setBusy) as (() => void) | undefined, [viewer]);
  return busy ? <div className="vz-busy" role="progressbar" aria-label="Laying out" /> : null;
}

/** What is lit, or waited for while a path is being picked; a press lights everything again. */
export function Hint() {
  const { view, network } = useBench();
  const pathFrom = useView((state) => state.pathFrom);
  const trace = useView((state) => state.trace);
  let text = "";
  if (pathFrom !== null) text = "Select where the path ends, by a click or with arrows and Enter";
  else if (trace) {
    const { count } = traced(network, trace);
    text =
      trace.kind === "path" && count === 0
        ? "No value goes from the one to the other"
        : `${TRACES[trace.kind]} is lit: ${exact(count)} of ${exact(network.nodes)} ops`;
  }
  if (text === "") return null;
  return (
    <button
      type="button"
      className="vz-hint"
      title="Light everything (Esc)"
      onClick={view.actions.clear}
    >
      {text}
      <Icon name="close" />
    </button>
  );
}

const TRACES = {
  upstream: "What leads to the selection",
  downstream: "What follows from the selection",
  both: "What leads to the selection and what follows",
  path: "The shortest path",
} as const;
