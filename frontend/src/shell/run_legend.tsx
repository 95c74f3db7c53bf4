/** What the colours of a run mean. */

import { useMemo } from "react";
import { BROKEN } from "../runs/colour";
import { spell, spellNumber } from "../runs/measures";
import { spanOf } from "../runs/span";
import type { RunStore } from "../runs/store";
import { RAMPS } from "../scale/palette";
import { hex } from "../scene/colour";
import { useRun } from "./run_context";

const VIRIDIS = RAMPS.viridis.map(hex).join(", ");

/** The ramp of the measure with its numbers, in one line. */
export function RunLegend({ run }: { run: RunStore; theme: "light" | "dark" }) {
  const matrix = useRun(run, (state) => state.matrix);
  const measure = useRun(run, (state) => state.matrixOf);
  const folded = useRun(run, (state) => state.boxes?.folded ?? 0);
  const scale = useMemo(() => (measure ? spanOf(matrix, measure) : null), [matrix, measure]);
  const broken = useMemo(() => matrix.values.includes(Number.POSITIVE_INFINITY), [matrix]);
  if (!measure || !scale || scale.high === 0) return null;
  const ends = [scale.low, scale.high].map((end) =>
    measure.scale === "share" ? spell(measure, end) : spellNumber(end),
  );
  return (
    <p className="vz-run-legend">
      <strong>{measure.title}</strong>
      <span>{ends[0]}</span>
      <span
        className="vz-ramp-bar"
        style={{ background: `linear-gradient(to right, ${VIRIDIS})` }}
        aria-hidden="true"
      />
      <span>{ends[1]}</span>
      <small>{scale.log ? "log" : "linear"}</small>
      {broken ? (
        <small title="Recorded, but infinite or not a number: no element was finite.">
          <span className="vz-swatch" style={{ background: hex(BROKEN.fill) }} />
          not finite
        </small>
      ) : null}
      {folded > 0 ? (
        <small title="Boxes with ×N stand for several modules, and have the colour of one of them: the one that is farthest from the rest, or has most of what is bad. Point at a box to see which.">
          ×N: extreme
        </small>
      ) : null}
    </p>
  );
}
