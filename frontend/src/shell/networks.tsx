/** The name of what is shown; where there are several, a choice of them, and what to compare with. */

import { createContext, useContext } from "react";
import type { WireEntry } from "../wire";
import { useBench } from "./bench";
import { Icon } from "./icons";
import { DropDown } from "./menu";
import { Name } from "./name";

/** The networks that a server has, and which are shown. */
export interface Catalogue {
  readonly entries: readonly WireEntry[];
  readonly shown: string;
  readonly compared: string | null;
  readonly choose: (id: string, compared: string | null) => void;
}

export const CatalogueContext = createContext<Catalogue | null>(null);

/** Shows the name, with a menu where there is a choice. */
export function Networks() {
  const { network, comparison } = useBench();
  const catalogue = useContext(CatalogueContext);
  const title = comparison ? (
    <>
      <Name text={comparison.names[0]} />
      <span className="vz-against">→</span>
      <Name text={comparison.names[1]} />
    </>
  ) : (
    <Name text={network.name} />
  );
  if (!catalogue || catalogue.entries.length < 2) return <h1 className="vz-title">{title}</h1>;
  const { entries, shown, compared, choose } = catalogue;
  const usable = entries.filter((one) => one.error === null);
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
          <p className="vz-menu-title" role="presentation">
            Show
          </p>
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
          <p className="vz-menu-title" role="presentation">
            Compare with
          </p>
          {usable
            .filter(({ id }) => id !== shown)
            .map(({ id, name }) => (
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
        </>
      )}
    </DropDown>
  );
}
