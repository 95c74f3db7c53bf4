/** Gives the boxes the colours of a run: those of the chosen measure at the chosen step. */

import { useEffect } from "react";
import { colourByValues } from "../runs/colour";
import { columnAt, type Matrix } from "../runs/matrix";
import type { Measure } from "../runs/measures";
import { type Places, placesOf, valuesByItem } from "../runs/places";
import { spanOf } from "../runs/span";
import { boxValues } from "../runs/stand_in";
import { columnNow, type RunStore } from "../runs/store";
import type { NumberScale } from "../scale/numbers";
import { useBench } from "./bench";

/** Shows nothing itself; it keeps the canvas in step with the run. */
export function RunPaint({ run, theme }: { run: RunStore; theme: "light" | "dark" }) {
  const { network, painter, view, viewer } = useBench();

  useEffect(() => {
    if (!viewer) return;
    let places: { of: Matrix["subjects"]; measure: Measure; places: Places } | null = null;
    let scale: { of: Matrix; scale: NumberScale } | null = null;
    let frame = 0;

    const paint = () => {
      frame = 0;
      const state = run.store.getState();
      const { about, matrix, matrixOf: measure, coloured } = state;
      if (!coloured || !measure || !about || matrix.steps.length === 0) {
        painter.cover(null);
        if (state.boxes) run.show(null);
      } else {
        if (!places || places.measure.of !== measure.of || !same(places.of, matrix.subjects)) {
          const made = placesOf(network, about, measure.of, matrix.subjects);
          places = { of: matrix.subjects, measure, places: made };
        }
        if (scale?.of !== matrix) scale = { of: matrix, scale: spanOf(matrix, measure) };
        const now = columnNow(state);
        const column = columnAt(matrix, now);
        const values = valuesByItem(network, places.places, column, measure.combine);
        const { unfolded } = view.store.getState();
        const boxes = boxValues(network, values, unfolded, measure);
        const step = matrix.steps[now];
        painter.cover(colourByValues(network, boxes.values, measure, step, scale.scale, theme));
        run.show(boxes);
      }
      viewer.repaint();
    };
    const later = () => {
      if (frame === 0) frame = requestAnimationFrame(paint);
    };
    later();
    const end = run.store.subscribe((now, before) => {
      const looks = ["matrix", "matrixOf", "step", "coloured", "about"] as const;
      if (looks.some((name) => now[name] !== before[name])) later();
    });
    const endView = view.store.subscribe((now, before) => {
      if (now.unfolded !== before.unfolded) later();
    });
    return () => {
      end();
      endView();
      cancelAnimationFrame(frame);
      painter.cover(null);
      run.show(null);
    };
  }, [run, network, painter, view, viewer, theme]);
  return null;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return (
    one === other || (one.length === other.length && one.every((name, at) => name === other[at]))
  );
}
