/** What is wrong with a run, or worth knowing: a list that leads to where it is. */

import { useState } from "react";
import { exact } from "../graph/text";
import type { Diagnosis } from "../runs/answers";
import { spellNumber } from "../runs/measures";
import { itemOf } from "../runs/places";
import type { RunStore } from "../runs/store";
import { useBench } from "./bench";
import { Name } from "./name";
import { useRun } from "./run_context";

const MOST = 100;
const SIGNS = {
  error: "M8 1.8 14.6 8 8 14.2 1.4 8zM8 4.8v4M8 10.9v.2",
  warning: "M8 2 14.5 13.5h-13zM8 6v3.6M8 11.5v.2",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.2v4M8 4.8v.2",
} as const;

/** Shows the list. A click selects the parameter or module, flies there and sets the step. */
export function RunDiagnoses({ run }: { run: RunStore }) {
  const diagnoses = useRun(run, (state) => state.diagnoses);
  const live = useRun(run, (state) => state.live);
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <section className="vz-diagnoses" aria-label="Diagnoses">
      <h2>
        Diagnoses{diagnoses && diagnoses.length > 0 ? <small> {diagnoses.length}</small> : null}
      </h2>
      {diagnoses === null ? <p className="vz-faint">Looking…</p> : null}
      {diagnoses?.length === 0 ? (
        <p className="vz-faint">
          Nothing is wrong{live ? " so far" : ""}, as far as the rules see.
        </p>
      ) : null}
      <ul>
        {diagnoses?.slice(0, MOST).map((one) => (
          <li key={keyOf(one)}>
            <Entry
              run={run}
              one={one}
              open={diagnoses.length === 1 || keyOf(one) === chosen}
              choose={() => setChosen(keyOf(one))}
            />
          </li>
        ))}
      </ul>
      {diagnoses && diagnoses.length > MOST ? (
        <p className="vz-faint">and {exact(diagnoses.length - MOST)} more</p>
      ) : null}
    </section>
  );
}

function keyOf({ rule, parameter, module, first_step }: Diagnosis): string {
  return `${rule} ${parameter} ${module} ${first_step}`;
}

function Entry({
  run,
  one,
  open,
  choose,
}: {
  run: RunStore;
  one: Diagnosis;
  /** Whether all is told: advice and evidence as well. */
  open: boolean;
  choose: () => void;
}) {
  const { view, network } = useBench();
  const evidence = Object.entries(one.evidence)
    .slice(0, 4)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${spellNumber(value)}`)
    .join(" · ");
  const go = () => {
    choose();
    run.play(false);
    run.toStep(one.first_step);
    const item = itemOf(network, one.parameter || one.module);
    if (item === null) view.actions.say("This is of the whole run");
    else view.actions.reveal(item);
  };
  return (
    <button
      type="button"
      className="vz-diagnosis"
      data-severity={one.severity}
      data-open={open || undefined}
      aria-expanded={open}
      title={open ? undefined : "Go there, and read on"}
      onClick={go}
    >
      <svg className="vz-icon" viewBox="0 0 16 16" role="img" aria-label={one.severity}>
        <path d={SIGNS[one.severity] ?? SIGNS.info} />
      </svg>
      <span>
        <span className="vz-diagnosis-where">
          {one.parameter || one.module ? (
            <Name text={one.parameter || one.module} mono />
          ) : (
            <span>the whole run</span>
          )}
          <small>step {exact(one.first_step)}</small>
        </span>
        <span className="vz-diagnosis-said">{one.message.slice(0, 1000)}</span>
        {open ? <small>{one.advice.slice(0, 1000)}</small> : null}
        {open && evidence ? <small className="vz-mono"> {evidence}</small> : null}
      </span>
    </button>
  );
}
