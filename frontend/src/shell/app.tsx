/** The viewer from the first byte on: loading, choosing, trouble, and then the workbench. */

import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { plain } from "../graph/text";
import type { CompareMode } from "../view/state";
import type { Wire, WireEntry } from "../wire";
import { type Address, followAddress, readAddress } from "./address";
import { type Catalogue, CatalogueContext } from "./networks";
import type { PrefsStore } from "./prefs";
import { type Hints, type Opened, openSession, readOpened } from "./session";
import { breath, fromBytes, fromServer, listNetworks, type Progress, type Source } from "./source";
import { Choice, Loading, Trouble } from "./start";
import { resolveTheme, watchTheme } from "./theme";
import type { Viewer } from "./viewer";
import { warmUp } from "./warm";
import { Workbench } from "./workbench";

interface AppProps {
  readonly source: Source;
  readonly root: HTMLElement;
  readonly prefs: PrefsStore;
  readonly hints: Hints;
  /** A page of its own has an address that restores the view, and keys that always work. */
  readonly wholePage: boolean;
}

/** Which networks are asked for. */
interface Wanted {
  readonly id: string;
  readonly other: string | null;
}

type Stage =
  | { readonly at: "loading"; readonly progress: Progress }
  | { readonly at: "trouble"; readonly error: Error }
  | { readonly at: "choice" }
  | { readonly at: "open"; readonly opened: Opened };

/** Shows what a source has. */
export function App({ source, root, prefs, hints, wholePage }: AppProps) {
  const [stage, setStage] = useState<Stage>({
    at: "loading",
    progress: { doing: "Loading", fraction: null },
  });
  const [entries, setEntries] = useState<readonly WireEntry[] | null>(null);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const address = useRef(wholePage ? readAddress() : null);
  const theme = useTheme(root, prefs);

  const load = useCallback(async (get: (tell: (progress: Progress) => void) => Promise<Wire>) => {
    try {
      const tell = (progress: Progress) => setStage({ at: "loading", progress });
      tell({ doing: "Loading", fraction: null });
      const wire = await get(tell);
      tell({ doing: "Drawing", fraction: null });
      await breath();
      setStage({ at: "open", opened: readOpened(wire) });
    } catch (error) {
      setStage({ at: "trouble", error: error as Error });
    }
  }, []);

  useEffect(() => {
    let current = true;
    const start = async () => {
      if (source.kind !== "server") {
        await load((tell) => fromBytes(source, (one) => current && tell(one)));
        return;
      }
      try {
        const found = await listNetworks(source.api);
        if (!current) return;
        setEntries(found);
        const usable = found.filter((one) => one.error === null);
        const asked = usable.find(({ id }) => id === address.current?.id);
        if (asked) setWanted({ id: asked.id, other: address.current?.other ?? null });
        else if (usable.length === 1) setWanted({ id: usable[0].id, other: null });
        else if (usable.length > 1 && hints.compare)
          setWanted({ id: usable[0].id, other: hints.compare });
        else setStage({ at: "choice" });
      } catch (error) {
        if (current) setStage({ at: "trouble", error: error as Error });
      }
    };
    start();
    // While bytes are on their way, or unpacked by another thread.
    const warming = setTimeout(warmUp, 0);
    return () => {
      clearTimeout(warming);
      current = false;
    };
  }, [source, load, hints]);

  useEffect(() => {
    if (!wanted || source.kind !== "server") return;
    load((tell) => fromServer(source.api, wanted.id, wanted.other, tell));
  }, [wanted, source, load]);

  const catalogue = useMemo<Catalogue | null>(
    () =>
      entries && wanted
        ? {
            entries,
            shown: wanted.id,
            compared: wanted.other,
            choose: (id, other) => {
              address.current = null;
              setWanted({ id, other });
            },
          }
        : null,
    [entries, wanted],
  );

  let content: ReactNode;
  if (stage.at === "loading") content = <Loading progress={stage.progress} />;
  else if (stage.at === "trouble") {
    const again = entries && entries.length > 1 ? () => setStage({ at: "choice" }) : null;
    content = <Trouble error={stage.error} again={again} />;
  } else if (stage.at === "choice") {
    content = <Choice entries={entries ?? []} choose={(id, other) => setWanted({ id, other })} />;
  } else {
    content = (
      <Session
        key={`${wanted?.id ?? ""} ${wanted?.other ?? ""}`}
        opened={stage.opened}
        root={root}
        prefs={prefs}
        hints={hints}
        theme={theme}
        address={address.current}
        wanted={wanted}
        wholePage={wholePage}
      />
    );
  }
  return <CatalogueContext value={catalogue}>{content}</CatalogueContext>;
}

interface SessionProps {
  readonly opened: Opened;
  readonly root: HTMLElement;
  readonly prefs: PrefsStore;
  readonly hints: Hints;
  readonly theme: "light" | "dark";
  readonly address: Address | null;
  readonly wanted: Wanted | null;
  readonly wholePage: boolean;
}

function Session({ opened, root, prefs, hints, theme, address, wanted, wholePage }: SessionProps) {
  const [mode, setMode] = useState<CompareMode>(address?.mode ?? "merged");
  const link = useRef(address?.link ?? "");
  const session = useMemo(
    () => openSession(opened, mode, { hints, link: link.current }),
    [opened, mode, hints],
  );
  const [first] = session.panes;
  const { view } = first;
  const [viewer, setViewer] = useState<Viewer | null>(null);

  useEffect(() => {
    const ends = session.panes.map((pane) =>
      pane.view.store.subscribe((now, before) => {
        if (now.compare !== before.compare) setMode(now.compare);
      }),
    );
    return () => {
      for (const end of ends) end();
    };
  }, [session]);

  useEffect(() => {
    if (!wholePage || !viewer) return;
    return followAddress(view, viewer, wanted);
  }, [view, viewer, wanted, wholePage]);

  useEffect(() => {
    if (wholePage) document.title = plain(view.network.name.slice(0, 80));
  }, [view, wholePage]);

  return (
    <Workbench
      key={mode}
      session={session}
      prefs={prefs}
      root={root}
      theme={theme}
      wholePage={wholePage}
      ready={setViewer}
    />
  );
}

/** Keeps the theme of the root element up to date. */
function useTheme(root: HTMLElement, prefs: PrefsStore): "light" | "dark" {
  const chosen = useStore(prefs.store, (one) => one.theme);
  const [theme, setTheme] = useState(() => resolveTheme(chosen));
  useEffect(() => {
    const update = () => {
      const next = resolveTheme(chosen);
      root.dataset.theme = next;
      setTheme(next);
    };
    update();
    return watchTheme(update);
  }, [chosen, root]);
  return theme;
}
