/** The page around the canvas: the bar, the outline, the details, and what floats above. */

import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import type { RunStore } from "../runs/store";
import { type Bench, BenchContext, type MenuPlace } from "./bench";
import { Busy, Canvas, Hint } from "./canvas";
import { Crumbs } from "./crumbs";
import { Help } from "./help";
import { ItemPanel } from "./item_panel";
import { press } from "./keys";
import { Legend } from "./legend";
import { ItemMenu } from "./menu";
import { Minimap } from "./minimap";
import { NetworkPanel } from "./network_panel";
import { Outline } from "./outline";
import { Paper } from "./paper";
import type { PrefsStore } from "./prefs";
import { RunDock } from "./run_dock";
import { RunPaint } from "./run_paint";
import { Search } from "./search";
import type { Pane, Session } from "./session";
import { Splitter } from "./splitter";
import { linkCameras, linkViews } from "./tandem";
import { Tool, Toolbar } from "./toolbar";
import { type Pointer, Tooltip } from "./tooltip";
import { travel } from "./trail";
import type { Viewer } from "./viewer";

interface WorkbenchProps {
  readonly session: Session;
  readonly run: RunStore | null;
  readonly prefs: PrefsStore;
  readonly root: HTMLElement;
  readonly theme: "light" | "dark";
  /** Whether keys work wherever the focus is, as on a page of its own. */
  readonly wholePage: boolean;
  /** Called with the first canvas when it is up, and with null when it goes. */
  readonly ready: (viewer: Viewer | null) => void;
}

/** Shows a session with everything around it; what is around follows the canvas last used. */
export function Workbench({ session, run, prefs, root, theme, wholePage, ready }: WorkbenchProps) {
  const { panes, matches, camera } = session;
  const [active, setActive] = useState<0 | 1>(0);
  const { view, painter, comparison } = panes[active] ?? panes[0];
  const { network } = view;
  const [viewers, setViewers] = useState<readonly (Viewer | null)[]>([null, null]);
  const viewer = viewers[active];
  const leader = useRef<0 | 1>(0);
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const [help, setHelp] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [pointer, setPointer] = useState<Pointer | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const outline = useStore(prefs.store, (one) => one.outline);
  const panel = useStore(prefs.store, (one) => one.panel);
  const minimap = useStore(prefs.store, (one) => one.minimap);
  const outlineWidth = useStore(prefs.store, (one) => one.outlineWidth);
  const panelWidth = useStore(prefs.store, (one) => one.panelWidth);
  const selected = useStore(view.store, (state) => state.selected);
  const message = useStore(view.store, (state) => state.message);

  useEffect(() => ready(viewers[0]), [viewers, ready]);

  useEffect(() => {
    if (!matches || panes.length < 2) return;
    return linkViews([panes[0].view, (panes[1] as Pane).view], matches);
  }, [panes, matches]);

  useEffect(() => {
    const [one, other] = viewers;
    if (!matches || !one || !other) return;
    return linkCameras([one, other], matches, () => leader.current);
  }, [viewers, matches]);

  const lead = (at: 0 | 1) => {
    leader.current = at;
    setActive(at);
  };

  const bench = useMemo<Bench>(
    () => ({
      view,
      network,
      viewer,
      painter,
      comparison,
      run,
      prefs,
      root,
      wholePage,
      revealElsewhere: (item) => {
        const other = active === 0 ? 1 : 0;
        leader.current = other;
        setActive(other);
        panes[other]?.view.actions.reveal(item);
      },
      openMenu: setMenu,
      openHelp: () => setHelp(true),
      focusSearch: () => {
        prefs.set({ outline: true });
        // At once where it can be: what is typed next is meant for the search.
        if (search.current) search.current.focus();
        else requestAnimationFrame(() => search.current?.focus());
      },
      travel: (by) => travel(view, by, wholePage),
    }),
    [view, network, viewer, painter, comparison, run, prefs, root, wholePage, panes, active],
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

  const columns = {
    "--vz-outline": `${outlineWidth}px`,
    "--vz-panel": `${panelWidth}px`,
  } as React.CSSProperties;
  return (
    <BenchContext value={bench}>
      <div className="vz-bench" style={columns} data-run={run ? "" : undefined}>
        <header className="vz-top">
          <Toolbar />
        </header>
        {outline ? (
          <nav className="vz-left" aria-label="Outline">
            <Search key={active} input={search} />
            <Outline key={`outline ${active}`} />
            <Legend painter={painter} theme={theme} />
            <Splitter side="outline" />
          </nav>
        ) : null}
        <main className="vz-stage">
          <div className="vz-stages">
            {panes.map((pane, at) => (
              <Canvas
                // biome-ignore lint/suspicious/noArrayIndexKey: panes do not move
                key={at}
                view={pane.view}
                painter={pane.painter}
                theme={theme}
                title={
                  panes.length > 1
                    ? `${at === 0 ? "before" : "after"}: ${pane.view.network.name}`
                    : null
                }
                start={{ camera, fresh: pane.fresh && at === 0 }}
                events={{
                  onMenu: (item, x, y) => setMenu({ item, x, y }),
                  onTrouble: setTrouble,
                  onPointer: (item, x, y) => setPointer(item === null ? null : { item, x, y }),
                }}
                ready={(made) => setViewers((all) => all.map((one, i) => (i === at ? made : one)))}
                lead={() => lead(at as 0 | 1)}
              />
            ))}
          </div>
          <Busy viewer={viewer} />
          <Crumbs />
          <Hint />
          {outline ? null : <Legend painter={painter} theme={theme} />}
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
        {run ? <RunPaint run={run} theme={theme} /> : null}
        {run ? <RunDock run={run} theme={theme} /> : null}
        {panel ? (
          <aside className="vz-right" aria-label="Details">
            <Splitter side="panel" />
            <Scroller key={selected ?? -1}>
              {selected === null ? (
                <NetworkPanel sent={session.sent} />
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
      {wholePage && viewer ? <Paper view={view} painter={painter} viewer={viewer} /> : null}
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
