/** The name of what is shown; where there are several, a choice of them, and what to compare with. */

import { createContext, useContext } from "react";
import type { RunEntry } from "../runs/answers";
import type { WireEntry } from "../wire";
import { useBench } from "./bench";
import { Icon } from "./icons";
import { DropDown } from "./menu";
import { Name } from "./name";

/** The networks that a server has, and which are shown. */
export interface Catalogue {
  readonly entries: readonly WireEntry[];
  readonly runs: readonly RunEntry[];
  /** Id of the network that is shown, or of the run. */
  readonly shown: string;
  readonly compared: string | null;
  readonly choose: (id: string, compared: string | null) => void;
  readonly chooseRun: (id: string) => void;
}

export const CatalogueContext = createContext<Catalogue | null>(null);

/** Shows the name, with a menu where there is a choice. */
export function Networks() {
  const { network, comparison, run } = useBench();
  const catalogue = useContext(CatalogueContext);
  const entry = catalogue?.runs.find(({ id }) => id === run?.id);
  const title = comparison ? (
    <>
      <Name text={comparison.names[0]} />
      <span className="vz-against">→</span>
      <Name text={comparison.names[1]} />
    </>
  ) : (
    <>
      <Name text={entry?.model ?? network.name} />
      {entry && entry.model !== network.name ? (
        <span className="vz-against">
          <Name text={network.name} />
        </span>
      ) : null}
    </>
  );
  if (!catalogue || catalogue.entries.length + catalogue.runs.length < 2)
    return <h1 className="vz-title">{title}</h1>;
  const { entries, runs, shown, compared, choose, chooseRun } = catalogue;
  const usable = entries.filter((one) => one.error === null);
  const others = usable.some(({ id }) => id === shown)
    ? usable.filter(({ id }) => id !== shown)
    : [];
  const readable = runs.filter((one) => one.error === null);
  return (
    <DropDown
      title="Networks"
      named
      label={
        <>
          <span className="vz-title">{title}</span>
          <Icon name="down" />
        </>
      }
    >
      {(close) => (
        <>
          {usable.length > 0 ? (
            <p className="vz-menu-title" role="presentation">
              Show
            </p>
          ) : null}
          {usable.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              role="menuitemradio"
              aria-checked={id === shown}
              onClick={() => {
                close();
                choose(id, null);
              }}
            >
              <Name text={name} />
            </button>
          ))}
          {others.length > 0 ? (
            <p className="vz-menu-title" role="presentation">
              Compare with
            </p>
          ) : null}
          {others.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              role="menuitemradio"
              aria-checked={id === compared}
              onClick={() => {
                close();
                choose(shown, id === compared ? null : id);
              }}
            >
              <Name text={name} />
            </button>
          ))}
          {readable.length > 0 ? (
            <p className="vz-menu-title" role="presentation">
              Runs
            </p>
          ) : null}
          {readable.map(({ id, model, name, live }) => (
            <button
              key={id}
              type="button"
              role="menuitemradio"
              aria-checked={id === shown}
              onClick={() => {
                close();
                chooseRun(id);
              }}
            >
              <Name text={`${model} ${name}${live ? " (live)" : ""}`} />
            </button>
          ))}
        </>
      )}
    </DropDown>
  );
}
