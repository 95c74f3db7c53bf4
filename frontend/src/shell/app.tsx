/** The viewer from the first byte on: loading, choosing, trouble, and then the workbench. */

import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import type { RunEntry } from "../runs/answers";
import { listRuns } from "../runs/ask";
import type { Wire, WireEntry } from "../wire";
import { type Address, readAddress, type ShownId, spellShown } from "./address";
import { type Catalogue, CatalogueContext } from "./networks";
import type { PrefsStore } from "./prefs";
import { type Hints, type Opened, readOpened } from "./session";
import { SessionBench } from "./session_bench";
import {
  breath,
  fromBytes,
  fromRun,
  fromServer,
  LoadError,
  listNetworks,
  type Progress,
  type Source,
} from "./source";
import { Choice, Loading, Trouble } from "./start";
import { resolveTheme, watchTheme } from "./theme";
import { ownsHistory, pushEntry } from "./trail";
import { warmUp } from "./warm";

interface AppProps {
  readonly source: Source;
  readonly root: HTMLElement;
  readonly prefs: PrefsStore;
  readonly hints: Hints;
  /** A page of its own has an address that restores the view, and keys that always work. */
  readonly wholePage: boolean;
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
  const [runs, setRuns] = useState<readonly RunEntry[]>([]);
  const [wanted, setWanted] = useState<ShownId | null>(null);
  const address = useRef(wholePage ? readAddress() : null);
  const title = useRef(document.title);
  const theme = useTheme(root, prefs);

  const load = useCallback(
    async (
      get: (tell: (progress: Progress) => void) => Promise<Wire>,
      isCurrent: () => boolean,
    ) => {
      const put = (next: Stage) => {
        if (isCurrent()) setStage(next);
      };
      try {
        const tell = (progress: Progress) => put({ at: "loading", progress });
        tell({ doing: "Loading", fraction: null });
        const wire = await get(tell);
        tell({ doing: "Drawing", fraction: null });
        await breath();
        if (isCurrent()) put({ at: "open", opened: readOpened(wire) });
      } catch (error) {
        put({ at: "trouble", error: error as Error });
      }
    },
    [],
  );

  useEffect(() => {
    let current = true;
    const start = async () => {
      if (source.kind !== "server") {
        await load(
          (tell) => fromBytes(source, tell),
          () => current,
        );
        return;
      }
      try {
        const [found, recorded] = await Promise.all([
          listNetworks(source.api),
          listRuns(source.api),
        ]);
        if (!current) return;
        setEntries(found);
        setRuns(recorded);
        const first = firstShown(address.current, found, recorded, hints);
        if (first) setWanted(first);
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
    let current = true;
    const isCurrent = () => current;
    load(async (tell) => {
      if (!wanted.run) return fromServer(source.api, wanted.id, wanted.other, tell);
      await untilCaptured(source.api, wanted.id, tell, isCurrent);
      return fromRun(source.api, wanted.id, tell);
    }, isCurrent);
    return () => {
      current = false;
    };
  }, [wanted, source, load]);

  // Trainings start while one chooses, and while another run is open.
  useEffect(() => {
    if (source.kind !== "server" || entries === null) return;
    const look = async () => {
      if (document.hidden) return;
      const found = await listRuns(source.api).catch(() => null);
      const text = JSON.stringify(found);
      if (found) setRuns((known) => (JSON.stringify(known) === text ? known : found));
    };
    const timer = setInterval(look, RELOOK);
    return () => clearInterval(timer);
  }, [source, entries]);

  /** Shows something else, or the choice, as a step of the browser's history. */
  const show = useCallback(
    (next: ShownId | null) => {
      if (next && wanted && spellShown(next) === spellShown(wanted)) return;
      address.current = null;
      const there = next ? spellShown(next) : location.pathname + location.search;
      if (wholePage && ownsHistory()) pushEntry("", 0, there);
      setWanted(next);
      if (!next) setStage({ at: "choice" });
    },
    [wanted, wholePage],
  );

  useEffect(() => {
    if (!wholePage || entries === null) return;
    const look = () => {
      const said = readAddress();
      // Whoever types a place but not of what means a place in what is shown.
      if (wanted && said.link !== "" && said.id === null && said.run === null) return;
      const next = firstShown(said, entries, runs, hints);
      if (next && wanted && spellShown(next) === spellShown(wanted)) return;
      address.current = said;
      setWanted(next);
      if (!next) setStage({ at: "choice" });
    };
    addEventListener("popstate", look);
    return () => removeEventListener("popstate", look);
  }, [wholePage, entries, runs, wanted, hints]);

  useEffect(() => {
    if (wholePage && stage.at === "choice") document.title = title.current;
  }, [wholePage, stage.at]);

  const catalogue = useMemo<Catalogue | null>(
    () =>
      entries && wanted
        ? {
            entries,
            runs,
            shown: wanted.id,
            compared: wanted.other,
            choose: (id, other) => show({ id, other, run: false }),
            chooseRun: (id) => show({ id, other: null, run: true }),
          }
        : null,
    [entries, runs, wanted, show],
  );

  let content: ReactNode;
  if (stage.at === "loading") content = <Loading progress={stage.progress} />;
  else if (stage.at === "trouble") {
    const again = entries && entries.length + runs.length > 1 ? () => show(null) : null;
    content = <Trouble error={stage.error} again={again} />;
  } else if (stage.at === "choice") {
    content = (
      <Choice
        entries={entries ?? []}
        runs={runs}
        choose={(id, other) => show({ id, other, run: false })}
        chooseRun={(id) => show({ id, other: null, run: true })}
      />
    );
  } else {
    content = (
      <SessionBench
        key={`${wanted?.id ?? ""} ${wanted?.other ?? ""}`}
        opened={stage.opened}
        root={root}
        prefs={prefs}
        hints={hints}
        theme={theme}
        address={address.current}
        wanted={wanted}
        model={runs.find(({ id }) => wanted?.run && id === wanted.id)?.model ?? null}
        api={source.kind === "server" ? source.api : null}
        wholePage={wholePage}
      />
    );
  }
  return <CatalogueContext value={catalogue}>{content}</CatalogueContext>;
}

/**
 * What is shown without anyone having chosen: what the address says, or the only thing there is.
 * Null if there is a choice.
 */
function firstShown(
  said: Address | null,
  entries: readonly WireEntry[],
  runs: readonly RunEntry[],
  hints: Hints,
): ShownId | null {
  const usable = entries.filter((one) => one.error === null);
  const readable = runs.filter((one) => one.error === null);
  const run = readable.find(({ id }) => id === said?.run);
  if (run) return { id: run.id, other: null, run: true };
  const network = usable.find(({ id }) => id === said?.id);
  if (network) return { id: network.id, other: said?.other ?? null, run: false };
  if (usable.length === 1 && runs.length === 0)
    return { id: usable[0].id, other: null, run: false };
  if (readable.length === 1 && runs.length === 1 && entries.length === 0)
    return { id: readable[0].id, other: null, run: true };
  if (usable.length > 1 && hints.compare)
    return { id: usable[0].id, other: hints.compare, run: false };
  return null;
}

const RELOOK = 3000; // Milliseconds.

/** Waits until the network of a run is there, which a training captures at its first batch. */
async function untilCaptured(
  api: string,
  id: string,
  tell: (progress: Progress) => void,
  current: () => boolean,
): Promise<void> {
  for (let round = 0; current(); round += 1) {
    const entry = (await listRuns(api)).find((one) => one.id === id);
    if (!entry) throw new LoadError("There is no such run, or it is gone.", "Reload for the list.");
    if (entry.has_network) return;
    if (!entry.live || round > 600) {
      throw new LoadError(
        "The network of this run was not captured, so there is nothing to show its records on.",
        "visuai.open_run(…).events says why; open_run reads the records all the same.",
      );
    }
    tell({ doing: "Waiting for the first batch of the training", fraction: null });
    await new Promise((done) => {
      setTimeout(done, 1000);
    });
  }
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
