/** What was sent, opened: its views, its run, its address, and the workbench around them. */

import { useEffect, useMemo, useRef, useState } from "react";
import { plain } from "../graph/text";
import { createRun } from "../runs/store";
import { encodeLink } from "../view/link";
import { countVisible } from "../view/opening";
import type { CompareMode } from "../view/state";
import { placeOf, type View } from "../view/store";
import { type Address, followAddress, type ShownId } from "./address";
import type { PrefsStore } from "./prefs";
import { type Hints, type Opened, openSession } from "./session";
import type { Viewer } from "./viewer";
import { Workbench } from "./workbench";

interface SessionBenchProps {
  readonly opened: Opened;
  readonly root: HTMLElement;
  readonly prefs: PrefsStore;
  readonly hints: Hints;
  readonly theme: "light" | "dark";
  readonly address: Address | null;
  readonly wanted: ShownId | null;
  /** What the run that is shown is called; null if none is. */
  readonly model: string | null;
  readonly api: string | null;
  readonly wholePage: boolean;
}

/** Makes the views of what is open, keeps the address in step, and shows the workbench. */
export function SessionBench(props: SessionBenchProps) {
  const { opened, root, prefs, hints, theme, address, wanted, model, api, wholePage } = props;
  const [mode, setMode] = useState<CompareMode>(address?.mode ?? "merged");
  const link = useRef(address?.link ?? "");
  const ofRun = wanted?.run ?? false;
  const session = useMemo(() => {
    const made = openSession(opened, mode, { hints, link: link.current });
    if (ofRun && !/(^|&)open=/.test(link.current)) spread(made.panes[0].view);
    return made;
  }, [opened, mode, hints, ofRun]);
  const [first] = session.panes;
  const { view } = first;
  const run = useMemo(() => {
    if (!wanted?.run || api === null) return null;
    const { step = null, measure = null } = address ?? {};
    return createRun(api, wanted.id, { step, measure });
  }, [wanted, api, address]);
  const [viewer, setViewer] = useState<Viewer | null>(null);

  useEffect(() => {
    const ends = session.panes.map((pane) =>
      pane.view.store.subscribe((now, before) => {
        if (now.compare === before.compare) return;
        // The other pictures start with what was open in this one.
        link.current = encodeLink(pane.view.network, placeOf(now), null);
        setMode(now.compare);
      }),
    );
    return () => {
      for (const end of ends) end();
    };
  }, [session]);

  useEffect(() => {
    if (!wholePage || !viewer) return;
    return followAddress(view, viewer, wanted && { ...wanted, run });
  }, [view, viewer, wanted, run, wholePage]);

  useEffect(() => run?.start(), [run]);

  useEffect(() => {
    if (!run || !viewer || session.camera) return;
    // One is to see all of the network at first: where its gradient dies may be at either end.
    const end = viewer.onPicture(() => {
      viewer.fit();
      end();
    });
    return end;
  }, [run, viewer, session]);

  useEffect(() => {
    if (wholePage) document.title = plain((model ?? view.network.name).slice(0, 80));
  }, [view, model, wholePage]);

  return (
    <Workbench
      key={mode}
      session={session}
      run={run}
      prefs={prefs}
      root={root}
      theme={theme}
      wholePage={wholePage}
      ready={setViewer}
    />
  );
}

const MOST_SHOWN = 150;

/** Shows repeats one by one where there are not too many: alike as they are, they train unlike. */
function spread({ network, store }: View): void {
  const unfolded = new Set<number>();
  network.repeat.forEach((times, scope) => {
    if (times > 1) unfolded.add(network.nodes + scope);
  });
  const { open } = store.getState();
  if (countVisible(network, { open, unfolded }, MOST_SHOWN) <= MOST_SHOWN) {
    store.setState({ unfolded });
  }
}
