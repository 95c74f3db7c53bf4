/** Loss and learning rate of a run, with the loss of other runs over it. */

import { useMemo, useState } from "react";
import { columnOf } from "../runs/matrix";
import { spellNumber } from "../runs/measures";
import { isRate, mainLine } from "../runs/overlay";
import { type RunStore, stepNow } from "../runs/store";
import { Name } from "./name";
import { Chart, type ChartLine } from "./run_chart";
import { useRun } from "./run_context";

/** Colours of lines of other runs: Okabe and Ito. */
export const BESIDE = ["#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8f5a9e"] as const;
const OWN = "#3b76e0";
const RATE = "#8a8f96";

/** Draws one number of the run and of the others; the learning rate by an axis of its own. */
export function RunLines({ run }: { run: RunStore }) {
  const lines = useRun(run, (state) => state.lines);
  const others = useRun(run, (state) => state.others);
  const step = useRun(run, stepNow);
  const [chosen, setChosen] = useState<string | null>(null);
  const names = Object.keys(lines).filter((name) => !isRate(name));
  const name = chosen !== null && chosen in lines ? chosen : mainLine(lines);
  const rate = Object.keys(lines).find(isRate);

  const drawn = useMemo<readonly ChartLine[]>(() => {
    const found: ChartLine[] = [];
    if (name !== null) found.push({ label: name, line: lines[name], colour: OWN });
    if (rate !== undefined) {
      found.push({ label: rate, line: lines[rate], colour: RATE, dashed: true, right: true });
    }
    [...others.values()].forEach((other, at) => {
      const line = name === null ? undefined : other.lines[name];
      const { model, name: begun } = other.entry;
      if (line)
        found.push({ label: `${model} ${begun}`, line, colour: BESIDE[at % BESIDE.length] });
    });
    return found;
  }, [lines, others, name, rate]);

  if (drawn.length === 0) {
    return (
      <section className="vz-lines" aria-label="Loss">
        <p className="vz-faint">
          <NoLoss />
        </p>
      </section>
    );
  }
  return (
    <section className="vz-lines" aria-label="Loss">
      <header>
        {name === null ? (
          <small className="vz-faint">
            <NoLoss />
          </small>
        ) : names.length > 1 ? (
          <select
            className="vz-select"
            aria-label="Number"
            value={name}
            onChange={(event) => setChosen(event.target.value)}
          >
            {names.map((one) => (
              <option key={one} value={one}>
                {one.slice(0, 60)}
              </option>
            ))}
          </select>
        ) : (
          <strong>
            <Name text={name} />
          </strong>
        )}
        {name === null ? null : (
          <span
            className="vz-line-key"
            data-not-finite={valueAt(lines[name], step) === null || undefined}
            style={{ borderColor: OWN }}
          >
            {spelledAt(lines[name], step)}
          </span>
        )}
        {rate === undefined ? null : (
          <small className="vz-line-key" data-dashed="" style={{ borderColor: RATE }}>
            learning rate {spelledAt(lines[rate], step)}
          </small>
        )}
        {name === null
          ? null
          : [...others].map(([id, { entry, lines: theirs }], at) => (
              <small
                key={id}
                className="vz-line-key"
                data-other=""
                title={`${entry.model} ${entry.name}: ${spelledAt(theirs[name], step)}`}
                style={{ borderColor: BESIDE[at % BESIDE.length] }}
              >
                <Name text={entry.model} title={false} />
              </small>
            ))}
      </header>
      <Chart run={run} lines={drawn} label={`${name ?? "learning rate"} over steps`} />
    </section>
  );
}

function NoLoss() {
  return (
    <>
      No loss was seen. In the training loop:{" "}
      <code className="vz-mono">visu.scalar("loss", loss)</code>
    </>
  );
}

type Line = { steps: readonly number[]; values: readonly (number | null)[] };

/** Gives the number of a step: null where it was no finite one, undefined where there is none. */
function valueAt(line: Line | undefined, step: number | null): number | null | undefined {
  if (!line || line.steps.length === 0) return undefined;
  return line.values[step === null ? line.steps.length - 1 : columnOf(line.steps, step)];
}

function spelledAt(line: Line | undefined, step: number | null): string {
  const value = valueAt(line, step);
  return value === null ? "not finite" : spellNumber(value);
}
