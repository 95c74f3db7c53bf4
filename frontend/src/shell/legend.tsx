/** What the colours mean. */

import type { Legend as LegendOf } from "../scale/colouring";
import { spaced } from "../scale/ticks";
import { hex } from "../scene/colour";
import { useBench, usePrefs, useView } from "./bench";
import { Icon } from "./icons";
import type { Painter } from "./paint";
import { useCovered } from "./run_context";

/** Shows the legend of the present colours; it folds to a button. */
export function Legend({ painter, theme }: { painter: Painter; theme: "light" | "dark" }) {
  const { prefs, comparison } = useBench();
  const colourBy = useView((state) => state.colourBy);
  const shown = usePrefs((one) => one.legend);
  const covered = useCovered();
  const { legend } = painter.colouring(colourBy, theme);
  if (covered) return null; // The run tells what its colours mean.
  return (
    <aside className="vz-legend" aria-label="Legend" data-folded={!shown || undefined}>
      <button
        type="button"
        className="vz-legend-head"
        aria-expanded={shown}
        onClick={() => prefs.set({ legend: !shown })}
      >
        {legend.kind === "category" ? "Kind of op" : legend.title}
        <Icon name="down" />
      </button>
      {shown ? (
        legend.kind === "category" ? (
          <Categories legend={legend} />
        ) : (
          <Ramp legend={legend} />
        )
      ) : null}
      {shown && comparison?.marks ? <Marks /> : null}
    </aside>
  );
}

function Categories({ legend }: { legend: Extract<LegendOf, { kind: "category" }> }) {
  return (
    <ul>
      {legend.entries.map((one) => (
        <li key={one.category}>
          <span
            className="vz-swatch"
            style={{ background: hex(one.fill), borderColor: hex(one.line) }}
          />
          <span className="vz-legend-name" title={one.label}>
            {one.label}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Ramp({ legend }: { legend: Extract<LegendOf, { kind: "number" }> }) {
  const stops = legend.stops.map(hex).join(", ");
  return (
    <div className="vz-ramp">
      <div className="vz-ramp-bar" style={{ background: `linear-gradient(to right, ${stops})` }} />
      <div className="vz-ramp-ticks">
        {spaced(legend.ticks, RAMP, (text) => text.length * LETTER).map(({ place, text }) => (
          <span key={text} style={{ left: `${place * 100}%` }}>
            {text}
          </span>
        ))}
      </div>
      <p>
        <span className="vz-swatch" style={{ background: hex(legend.none) }} />
        none{legend.log ? " · logarithmic" : ""}
      </p>
    </div>
  );
}

/** Widths in pixels: of the ramp, and of a letter of a tick. */
const RAMP = 200;
const LETTER = 6;

const MARKS = [
  ["1", "added"],
  ["2", "removed"],
  ["3", "changed"],
] as const;

function Marks() {
  return (
    <ul className="vz-marks">
      {MARKS.map(([mark, text]) => (
        <li key={mark}>
          <span className="vz-mark" data-mark={mark} />
          {text}
        </li>
      ))}
    </ul>
  );
}
