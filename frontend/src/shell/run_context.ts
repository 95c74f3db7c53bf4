/** The run that is shown, for the parts of the page that tell of it. */

import { useEffect, useState } from "react";
import { useStore } from "zustand";
import type { SeriesOf } from "../runs/ask";
import type { RunState, RunStore } from "../runs/store";
import { useBench } from "./bench";

/** A part of the state of a run, kept up to date. */
export function useRun<T>(run: RunStore, pick: (state: RunState) => T): T {
  return useStore(run.store, pick);
}

/** The run of the bench; only parts that stand where there is one may ask for it. */
export function useBenchRun(): RunStore {
  const { run } = useBench();
  if (!run) throw new Error("There is no run on this bench.");
  return run;
}

/** Whether boxes have the colours of a run just now. */
export function useCovered(): boolean {
  const { run } = useBench();
  const [covered, setCovered] = useState(false);
  useEffect(() => {
    if (!run) return;
    const look = ({ coloured, matrixOf }: RunState) => setCovered(coloured && matrixOf !== null);
    look(run.store.getState());
    return run.store.subscribe(look);
  }, [run]);
  return run !== null && covered;
}

/** A series, asked for again as the run grows; null while it is on its way. */
export function useSeries(
  run: RunStore,
  subject: string | null,
  quantity: string,
): { readonly series: SeriesOf | null; readonly trouble: string } {
  const edition = useRun(run, (state) => state.edition);
  const [found, setFound] = useState<{ key: string; series: SeriesOf } | null>(null);
  const [trouble, setTrouble] = useState("");
  const key = `${quantity} ${subject}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new edition is why it asks again
  useEffect(() => {
    if (subject === null) return;
    let current = true;
    run.source.series(subject, quantity).then(
      (series) => {
        if (!current) return;
        setFound({ key, series });
        setTrouble("");
      },
      (error: Error) => current && setTrouble(error.message),
    );
    return () => {
      current = false;
    };
  }, [run, subject, quantity, key, edition]);
  return { series: found?.key === key ? found.series : null, trouble };
}
