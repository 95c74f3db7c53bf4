/** The dock of a run: the time, what is measured, and everything over all steps. */

import { type KeyboardEvent, useEffect } from "react";
import { exact } from "../graph/text";
import { columnNow, type RunStore, stepNow } from "../runs/store";
import { useBench, usePrefs } from "./bench";
import { Icon } from "./icons";
import { Name } from "./name";
import { useRun } from "./run_context";
import { RunDiagnoses } from "./run_diagnoses";
import { RunLegend } from "./run_legend";
import { RunLines } from "./run_lines";
import { RunOverview } from "./run_overview";
import { RunsBeside } from "./runs_beside";

/** Shows the dock below the canvas; it folds to the row with the slider. */
export function RunDock({ run, theme }: { run: RunStore; theme: "light" | "dark" }) {
  const { prefs, view } = useBench();
  const open = usePrefs((one) => one.dock);
  const trouble = useRun(run, (state) => state.trouble);

  // Whoever asks for other colours gets them.
  useEffect(
    () =>
      view.store.subscribe((now, before) => {
        if (now.colourBy !== before.colourBy) run.colour(false);
      }),
    [view, run],
  );

  const keys = (event: KeyboardEvent<HTMLElement>) => {
    const { target } = event;
    const onSlider = target instanceof HTMLInputElement && target.type === "range";
    const elsewhere = target instanceof Element && target.closest("button,select,input,a");
    if (event.key !== " " || (elsewhere && !onSlider)) return;
    event.preventDefault();
    event.stopPropagation();
    run.play(!run.store.getState().playing);
  };

  return (
    <section className="vz-dock" aria-label="Run" onKeyDown={keys}>
      <div className="vz-dock-bar">
        <button
          type="button"
          className="vz-tool vz-dock-fold"
          aria-expanded={open}
          title={open ? "Fold the run" : "Show the run"}
          aria-label={open ? "Fold the run" : "Show the run"}
          onClick={() => prefs.set({ dock: !open })}
        >
          <Icon name={open ? "down" : "chevron"} />
        </button>
        <State run={run} />
        <Play run={run} />
        <Slider run={run} />
        <MeasureChoice run={run} />
        <ColourBoxes run={run} />
        <RunsBeside run={run} />
      </div>
      {trouble ? (
        <p className="vz-dock-trouble" role="alert">
          {trouble}
        </p>
      ) : null}
      {open ? (
        <div className="vz-dock-body">
          <div className="vz-dock-overview">
            <RunLegend run={run} theme={theme} />
            <RunOverview run={run} />
          </div>
          <RunLines key={theme} run={run} />
          <RunDiagnoses run={run} />
        </div>
      ) : null}
    </section>
  );
}

function State({ run }: { run: RunStore }) {
  const about = useRun(run, (state) => state.about);
  const live = useRun(run, (state) => state.live);
  return (
    <p className="vz-run-state" data-live={live || undefined}>
      <span className="vz-run-lamp" aria-hidden="true" />
      <span>{live ? "live" : "ended"}</span>
      {about ? (
        <span className="vz-faint vz-run-name">
          <Name text={about.name} />
        </span>
      ) : null}
    </p>
  );
}

function Play({ run }: { run: RunStore }) {
  const playing = useRun(run, (state) => state.playing);
  const empty = useRun(run, (state) => state.matrix.steps.length < 2);
  return (
    <button
      type="button"
      className="vz-tool vz-play"
      aria-label={playing ? "Pause" : "Play"}
      title={`${playing ? "Pause" : "Play"} (Space on the slider)`}
      disabled={empty}
      onClick={() => run.play(!playing)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M5 3l8 5-8 5z"} />
      </svg>
    </button>
  );
}

function Slider({ run }: { run: RunStore }) {
  const column = useRun(run, columnNow);
  const step = useRun(run, stepNow);
  const last = useRun(run, (state) => state.matrix.steps.length - 1);
  const atEnd = useRun(run, (state) => state.step === null);
  const text = step === null ? "no step recorded yet" : `step ${exact(step)}`;
  return (
    <>
      <input
        className="vz-slider"
        type="range"
        aria-label="Step"
        aria-valuetext={text}
        min={0}
        max={Math.max(0, last)}
        step={1}
        value={Math.max(0, column)}
        disabled={last < 1}
        onChange={(event) => {
          run.play(false);
          run.toColumn(Number(event.target.value));
        }}
      />
      <output className="vz-step" title={atEnd ? "Stays at the end as the run grows" : undefined}>
        {text}
        {atEnd && last > 0 ? <small> end</small> : null}
      </output>
    </>
  );
}

function MeasureChoice({ run }: { run: RunStore }) {
  const measures = useRun(run, (state) => state.measures);
  const measure = useRun(run, (state) => state.measure);
  if (measures.length === 0) return null;
  return (
    <select
      className="vz-select"
      aria-label="Measure"
      value={measure?.id ?? ""}
      onChange={(event) => run.measureBy(event.target.value)}
    >
      {measures.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
    </select>
  );
}

function ColourBoxes({ run }: { run: RunStore }) {
  const coloured = useRun(run, (state) => state.coloured);
  return (
    <label className="vz-check">
      <input
        type="checkbox"
        checked={coloured}
        onChange={(event) => run.colour(event.target.checked)}
      />
      <span>colour boxes</span>
    </label>
  );
}
