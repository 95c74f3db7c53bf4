/** What is shown before a network is: how far loading is, a choice of networks, what went wrong. */

import { useState } from "react";
import { count, exact } from "../graph/text";
import type { RunEntry } from "../runs/answers";
import type { WireEntry } from "../wire";
import { Name } from "./name";
import { RunChoice } from "./run_choice";
import { LoadError, type Progress } from "./source";

/** Tells what is being done. */
export function Loading({ progress }: { progress: Progress }) {
  return (
    <div className="vz-start" role="status">
      <Sign />
      <p className="vz-doing">{progress.doing}…</p>
    </div>
  );
}

/** Tells what went wrong and what one can do. */
export function Trouble({ error, again }: { error: Error; again: (() => void) | null }) {
  return (
    <div className="vz-start" role="alert">
      <h1>This cannot be shown</h1>
      <p className="vz-said">{error.message.slice(0, 4000)}</p>
      {error instanceof LoadError ? <p className="vz-faint">{error.advice}</p> : null}
      {again ? (
        <button type="button" className="vz-button" onClick={again}>
          Choose another network
        </button>
      ) : null}
    </div>
  );
}

/** Lets one choose a network, or two to compare. */
export function Choice({
  entries,
  runs,
  choose,
  chooseRun,
}: {
  entries: readonly WireEntry[];
  runs: readonly RunEntry[];
  choose: (id: string, other: string | null) => void;
  chooseRun: (id: string) => void;
}) {
  const [first, setFirst] = useState<string | null>(null);
  const usable = entries.filter((one) => one.error === null);
  return (
    <main className="vz-start vz-choice">
      <Sign />
      {runs.length > 0 ? <RunChoice runs={runs} choose={chooseRun} /> : null}
      {entries.length > 0 || runs.length === 0 ? <h1>Networks</h1> : null}
      {entries.length === 0 && runs.length === 0 ? (
        <p className="vz-said">
          There are none yet. Save a topology into the log directory, or record a training there.
        </p>
      ) : null}
      {first !== null ? (
        <p className="vz-choosing" role="status">
          Now choose the network to compare it with.
        </p>
      ) : null}
      <ul>
        {entries.map((one) => (
          <li key={one.id} data-first={one.id === first || undefined}>
            {one.error === null ? (
              <>
                <button
                  type="button"
                  className="vz-entry"
                  onClick={() =>
                    choose(first ?? one.id, first === null || first === one.id ? null : one.id)
                  }
                >
                  <Name text={one.name} />
                  <small>
                    {one.parameters === null ? "" : `${count(one.parameters)} parameters · `}
                    {one.nodes === null ? "" : `${exact(one.nodes)} ops`}
                  </small>
                </button>
                {usable.length > 1 ? (
                  <button
                    type="button"
                    className="vz-quiet"
                    aria-pressed={one.id === first}
                    onClick={() =>
                      first === null || first === one.id
                        ? setFirst(first === null ? one.id : null)
                        : choose(first, one.id)
                    }
                  >
                    {first === null || first === one.id ? "Compare" : "Compare with this"}
                  </button>
                ) : null}
              </>
            ) : (
              <div className="vz-entry" data-error="">
                <Name text={one.name} />
                <small>{one.error.slice(0, 400)}</small>
              </div>
            )}
          </li>
        ))}
      </ul>
    </main>
  );
}

/** The sign of the viewer: boxes in boxes. */
function Sign() {
  return (
    <svg className="vz-sign-mark" viewBox="0 0 48 48" aria-hidden="true">
      <rect x="3" y="3" width="42" height="42" rx="7" />
      <rect x="13" y="10" width="22" height="9" rx="3" />
      <rect x="13" y="29" width="22" height="9" rx="3" />
      <path d="M24 19v10" />
    </svg>
  );
}
