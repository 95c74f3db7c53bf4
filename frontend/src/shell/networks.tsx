/** The name of what is shown; where there are several, a choice of them, and what to compare with. */

import { createContext, useContext } from "react";
import { plain } from "../graph/text";
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
  const living = readable.filter(({ id, live }) => live && id !== shown);
  return (
    <DropDown
      title={readable.length > 0 ? "Networks and runs" : "Networks"}
      named
      label={
        <>
          <span className="vz-title">{title}</span>
          {living.length > 0 ? (
            <span className="vz-run-state" data-live="" title={`Live: ${plain(living[0].model)}`}>
              <span className="vz-run-lamp" aria-hidden="true" />
            </span>
          ) : null}
          <Icon name="down" />
        </>
      }
    >
      {(close) => (
        <>
          <Choices
            title="Show"
            choices={usable.map(({ id, name }) => ({ id, text: name }))}
            chosen={shown}
            choose={(id) => {
              close();
              choose(id, null);
            }}
          />
          <Choices
            title="Compare with"
            choices={others.map(({ id, name }) => ({ id, text: name }))}
            chosen={compared}
            choose={(id) => {
              close();
              choose(shown, id === compared ? null : id);
            }}
          />
          <Choices
            title="Runs"
            choices={readable.map(({ id, model, name, live }) => ({
              id,
              text: `${model} ${name}${live ? " (live)" : ""}`,
            }))}
            chosen={shown}
            choose={(id) => {
              close();
              chooseRun(id);
            }}
          />
        </>
      )}
    </DropDown>
  );
}

/** One part of the menu; nothing if there is nothing to choose. */
function Choices({
  title,
  choices,
  chosen,
  choose,
}: {
  title: string;
  choices: readonly { readonly id: string; readonly text: string }[];
  chosen: string | null;
  choose: (id: string) => void;
}) {
  if (choices.length === 0) return null;
  return (
    <>
      <p className="vz-menu-title" role="presentation">
        {title}
      </p>
      {choices.map(({ id, text }) => (
        <button
          key={id}
          type="button"
          role="menuitemradio"
          aria-checked={id === chosen}
          onClick={() => choose(id)}
        >
          <Name text={text} />
        </button>
      ))}
    </>
  );
}
