/** The runs of a log directory, to choose one of. */

import { exact } from "../graph/text";
import type { RunEntry } from "../runs/answers";
import { Name } from "./name";

/** Lists runs, those that go on just now first, then the latest. */
export function RunChoice({
  runs,
  choose,
}: {
  runs: readonly RunEntry[];
  choose: (id: string) => void;
}) {
  const ordered = [...runs].sort(
    (one, other) => Number(other.live) - Number(one.live) || begun(other) - begun(one),
  );
  return (
    <>
      <h1>Runs</h1>
      <ul>
        {ordered.map((one) => (
          <li key={one.id}>
            {one.error === null ? (
              <button type="button" className="vz-entry" onClick={() => choose(one.id)}>
                <Name text={`${one.model} ${one.name}`} />
                <small className="vz-run-state" data-live={one.live || undefined}>
                  <span className="vz-run-lamp" aria-hidden="true" />
                  {one.live ? "live · " : ""}
                  {one.last_step === null || one.last_step < 0
                    ? "nothing recorded yet"
                    : `to step ${exact(one.last_step)}, ${exact(one.records)} records`}
                  {begun(one) > 0 ? ` · ${new Date(begun(one)).toLocaleString()}` : ""}
                </small>
              </button>
            ) : (
              <div className="vz-entry" data-error="">
                <Name text={`${one.model} ${one.name}`} />
                <small>{one.error.slice(0, 400)}</small>
              </div>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** When a run began, in milliseconds since 1970; 0 if that is not known. */
function begun({ started }: RunEntry): number {
  if (typeof started === "number") return started * 1000;
  const parsed = Number(started) * 1000 || Date.parse(started ?? "");
  return Number.isFinite(parsed) ? parsed : 0;
}
