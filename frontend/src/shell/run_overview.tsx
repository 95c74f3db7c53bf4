/** Everything at once: a row for each tensor in execution order, a column for each step. */

import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { exact, plain, shorten } from "../graph/text";
import { spell } from "../runs/measures";
import { matrixPixels, type Pixels } from "../runs/pixels";
import { itemOf } from "../runs/places";
import { spanOf } from "../runs/span";
import { columnNow, type RunStore } from "../runs/store";
import { useBench, useView } from "./bench";
import { Name } from "./name";
import { useRun } from "./run_context";

const LEAST_ROW = 11; // Pixels that a name needs.

/** Draws the overview. A click selects the box of a row and goes to the step of a column. */
export function RunOverview({ run }: { run: RunStore }) {
  const { view, network } = useBench();
  const matrix = useRun(run, (state) => state.matrix);
  const measure = useRun(run, (state) => state.matrixOf);
  const column = useRun(run, columnNow);
  const selected = useView((state) => state.selected);
  const [field, setField] = useState<HTMLElement | null>(null);
  const height = useHeight(field);
  const [at, setAt] = useState<{ row: number; column: number } | null>(null);
  const { subjects, steps, values } = matrix;
  const rows = subjects.length;

  const pixels = useMemo(
    () => (measure ? matrixPixels(matrix, spanOf(matrix, measure)) : null),
    [matrix, measure],
  );
  const items = useMemo(() => subjects.map((fqn) => itemOf(network, fqn)), [subjects, network]);
  const within = useMemo(() => {
    if (selected === null || selected === network.root) return null;
    const { enter, leave } = network;
    return items.map(
      (item) => item !== null && enter[selected] <= enter[item] && enter[item] < leave[selected],
    );
  }, [items, selected, network]);

  if (!measure || rows === 0 || steps.length === 0) {
    return (
      <div className="vz-overview" data-empty="">
        <p className="vz-faint">Nothing of this has been recorded yet.</p>
      </div>
    );
  }

  const spotOf = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const part = (of: number, whole: number, most: number) =>
      Math.max(0, Math.min(most - 1, Math.floor((of / whole) * most)));
    return {
      row: part(event.clientY - box.top, box.height, rows),
      column: part(event.clientX - box.left, box.width, steps.length),
    };
  };
  const go = (spot: { row: number; column: number }) => {
    run.play(false);
    run.toColumn(spot.column);
    const item = items[spot.row];
    if (item !== null) view.actions.reveal(item);
  };
  const point = (spot: { row: number; column: number } | null) => {
    setAt(spot);
    run.point(spot ? subjects[spot.row] : null);
    view.actions.hover(spot ? items[spot.row] : null);
  };
  const keys = (event: KeyboardEvent<HTMLElement>) => {
    const now = at ?? { row: 0, column: Math.max(0, column) };
    const ways: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const way = ways[event.key];
    if (!way && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (!way) {
      go(now);
      return;
    }
    const next = {
      row: Math.max(0, Math.min(rows - 1, now.row + way[0])),
      column: Math.max(0, Math.min(steps.length - 1, now.column + way[1])),
    };
    if (way[1] !== 0) run.toColumn(next.column);
    point(next);
  };

  const row = at ? Math.min(at.row, rows - 1) : 0;
  const shownColumn = at ? Math.min(at.column, steps.length - 1) : Math.max(0, column);
  const value = spell(measure, values[row * steps.length + shownColumn]);
  const text = `${subjects[row]}, step ${exact(steps[shownColumn])}: ${value}`;
  const named = height / rows >= LEAST_ROW;
  return (
    <div className="vz-overview">
      <ul className="vz-overview-names" aria-hidden="true" data-few={!named || undefined}>
        {(named ? subjects : [subjects[0], subjects[rows - 1]]).map((fqn, place) => (
          <li
            key={fqn + String(place)}
            data-at={(named && at?.row === place) || undefined}
            data-within={(named && within?.[place]) || undefined}
          >
            <Name text={shorten(plain(fqn), 20)} title={false} />
          </li>
        ))}
      </ul>
      <div
        ref={setField}
        className="vz-overview-field"
        role="slider"
        tabIndex={0}
        aria-label={`${measure.title} of all tensors over all steps`}
        aria-orientation="vertical"
        aria-valuemin={1}
        aria-valuemax={rows}
        aria-valuenow={row + 1}
        aria-valuetext={text.slice(0, 300)}
        onPointerMove={(event) => point(spotOf(event))}
        onPointerLeave={() => point(null)}
        onPointerDown={(event) => go(spotOf(event))}
        onBlur={() => point(null)}
        onKeyDown={keys}
      >
        {pixels ? <Picture pixels={pixels} /> : null}
        {within?.map((inside, place) =>
          inside && !within[place - 1] ? (
            <span
              key={subjects[place]}
              className="vz-overview-within"
              style={{
                top: `${(place / rows) * 100}%`,
                height: `${(stretch(within, place) / rows) * 100}%`,
              }}
            />
          ) : null,
        )}
        <span
          className="vz-overview-step"
          style={{ left: `${((Math.max(0, column) + 0.5) / steps.length) * 100}%` }}
        />
      </div>
      <p className="vz-overview-said" aria-hidden="true">
        {at ? (
          <Name text={text} />
        ) : (
          <span>
            steps {`${exact(steps[0])} – ${exact(steps[steps.length - 1])}`}, first to last of the
            network downwards
          </span>
        )}
      </p>
    </div>
  );
}

/** How many rows from one on are marked. */
function stretch(within: readonly boolean[], from: number): number {
  let end = from;
  while (end < within.length && within[end]) end += 1;
  return end - from;
}

/** Puts pixels on a canvas, which the page stretches to its place. */
export function Picture({ pixels }: { pixels: Pixels }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    element.width = pixels.width;
    element.height = pixels.height;
    context.putImageData(new ImageData(pixels.data, pixels.width, pixels.height), 0, 0);
  }, [pixels]);
  return <canvas ref={canvas} className="vz-pixels" />;
}

/** Height of an element, which may come later than who asks. */
function useHeight(element: HTMLElement | null): number {
  const [height, setHeight] = useState(0);
  useEffect(() => {
    if (!element) return;
    const watch = new ResizeObserver(([entry]) => setHeight(entry.contentRect.height));
    watch.observe(element);
    return () => watch.disconnect();
  }, [element]);
  return height;
}
