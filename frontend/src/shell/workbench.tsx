/** The page around the canvas: the bar, the outline, the details, and what floats above. */

import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import type { Camera } from "../scene/stage";
import type { View } from "../view/store";
import type { WireTopology } from "../wire";
import { type Bench, BenchContext, type MenuPlace } from "./bench";
import { Busy, Canvas, Hint } from "./canvas";
import type { Comparison } from "./comparison";
import { Crumbs } from "./crumbs";
import { Help } from "./help";
import { ItemPanel } from "./item_panel";
import { press } from "./keys";
import { Legend } from "./legend";
import { ItemMenu } from "./menu";
import { Minimap } from "./minimap";
import { NetworkPanel } from "./network_panel";
import { Outline } from "./outline";
import type { Painter } from "./paint";
import type { PrefsStore } from "./prefs";
import { Search } from "./search";
import { Splitter } from "./splitter";
import { Tool, Toolbar } from "./toolbar";
import { type Pointer, Tooltip } from "./tooltip";
import type { Viewer } from "./viewer";

interface WorkbenchProps {
  readonly view: View;
  readonly painter: Painter;
  readonly document: WireTopology;
  readonly comparison: Comparison | null;
  readonly prefs: PrefsStore;
  readonly root: HTMLElement;
  readonly theme: "light" | "dark";
  readonly start: Camera | null;
  /** Whether keys work wherever the focus is, as on a page of its own. */
  readonly wholePage: boolean;
  readonly ready?: (viewer: Viewer | null) => void;
  /** A second canvas beside the first. */
  readonly beside?: ReactNode;
}

/** Shows one view with everything around it. */
export function Workbench(props: WorkbenchProps) {
  const {
    view,
    painter,
    document: topology,
    comparison,
    prefs,
    root,
    theme,
    start,
    wholePage,
  } = props;
  const { network } = view;
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const [help, setHelp] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [pointer, setPointer] = useState<Pointer | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const outline = useStore(prefs.store, (one) => one.outline);
  const panel = useStore(prefs.store, (one) => one.panel);
  const minimap = useStore(prefs.store, (one) => one.minimap);
  const widths = useStore(prefs.store, (one) => `${one.outlineWidth} ${one.panelWidth}`);
  const selected = useStore(view.store, (state) => state.selected);
  const message = useStore(view.store, (state) => state.message);
  const onReady = props.ready;

  const ready = useCallback(
    (made: Viewer | null) => {
      setViewer(made);
      onReady?.(made);
    },
    [onReady],
  );

  const bench = useMemo<Bench>(
    () => ({
      view,
      network,
      viewer,
      comparison,
      prefs,
      root,
      openMenu: setMenu,
      openHelp: () => setHelp(true),
      focusSearch: () => {
        prefs.set({ outline: true });
        requestAnimationFrame(() => search.current?.focus());
      },
    }),
    [view, network, viewer, comparison, prefs, root],
  );

  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const inside = event.target instanceof Node && root.contains(event.target);
      const free = wholePage && (event.target === document.body || event.target === null);
      if (!inside && !free) return;
      if (press(bench, event)) event.stopPropagation();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [bench, root, wholePage]);

  const [outlineWidth, panelWidth] = widths.split(" ").map(Number);
  const columns = {
    "--vz-outline": `${outlineWidth}px`,
    "--vz-panel": `${panelWidth}px`,
  } as React.CSSProperties;
  return (
    <BenchContext value={bench}>
      <div
        className="vz-bench"
        style={columns}
        data-outline={outline || undefined}
        data-panel={panel || undefined}
      >
        <header className="vz-top">
          <Toolbar />
        </header>
        {outline ? (
          <nav className="vz-left" aria-label="Outline">
            <Search input={search} />
            <Outline />
            <Splitter side="outline" />
          </nav>
        ) : null}
        <main className="vz-stage" ref={frame}>
          <div className="vz-stages">
            <Canvas
              view={view}
              painter={painter}
              theme={theme}
              label={`Drawing of ${network.name.slice(0, 80)}. Arrow keys go from box to box, Enter opens one; the outline has the same as a tree.`}
              start={start}
              events={{
                onMenu: (item, x, y) => setMenu({ item, x, y }),
                onTrouble: setTrouble,
                onPointer: (item, x, y) => setPointer(item === null ? null : { item, x, y }),
              }}
              ready={ready}
            />
            {props.beside}
          </div>
          <Busy viewer={viewer} />
          <Crumbs />
          <Hint />
          <Legend painter={painter} theme={theme} />
          <div className="vz-corner">
            {minimap && viewer ? <Minimap viewer={viewer} /> : null}
            <div className="vz-zoom">
              <Tool icon="minus" title="Zoom out (−)" act={() => viewer?.zoomBy(1 / 1.3)} />
              <Tool icon="plus" title="Zoom in (+)" act={() => viewer?.zoomBy(1.3)} />
              <Tool icon="fit" title="Show everything (0)" act={() => viewer?.fit()} />
            </div>
          </div>
          {trouble ? (
            <p className="vz-trouble" role="alert">
              {trouble}
            </p>
          ) : null}
        </main>
        {panel ? (
          <aside className="vz-right" aria-label="Details">
            <Splitter side="panel" />
            <Scroller key={selected ?? -1}>
              {selected === null ? (
                <NetworkPanel document={topology} />
              ) : (
                <ItemPanel item={selected} />
              )}
            </Scroller>
          </aside>
        ) : null}
        {pointer && !menu ? <Tooltip pointer={pointer} /> : null}
        {menu ? <ItemMenu place={menu} close={() => setMenu(null)} /> : null}
        {help ? <Help close={() => setHelp(false)} /> : null}
        <p className="vz-live" aria-live="polite">
          {message}
        </p>
      </div>
    </BenchContext>
  );
}

/** What scrolls can be reached by Tab, so that arrow keys scroll it. */
function Scroller({ children }: { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section className="vz-panel" tabIndex={0} aria-label="Details">
      {children}
    </section>
  );
}
