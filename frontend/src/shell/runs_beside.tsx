/** Which other runs' lines lie over those of this one. */

import { useContext } from "react";
import type { RunStore } from "../runs/store";
import { Icon } from "./icons";
import { DropDown } from "./menu";
import { Name } from "./name";
import { CatalogueContext } from "./networks";
import { useRun } from "./run_context";
import { BESIDE } from "./run_lines";

/** A menu of the other runs; nothing where there is none. */
export function RunsBeside({ run }: { run: RunStore }) {
  const catalogue = useContext(CatalogueContext);
  const others = useRun(run, (state) => state.others);
  const entries = (catalogue?.runs ?? []).filter(({ id, error }) => id !== run.id && !error);
  if (entries.length === 0) return null;
  const order = [...others.keys()];
  return (
    <DropDown
      title="Compare with other runs"
      end
      label={
        <>
          <span>Compare</span>
          {others.size > 0 ? <small aria-hidden="true">+ {others.size}</small> : null}
          <Icon name="down" />
        </>
      }
    >
      {() => (
        <>
          <p className="vz-menu-title" role="presentation">
            Their loss over this one's
          </p>
          {entries.map((entry) => (
            <button
              key={entry.id}
              type="button"
              role="menuitemcheckbox"
              aria-checked={others.has(entry.id)}
              onClick={() => run.overlay(entry)}
            >
              <span
                className="vz-swatch"
                style={{
                  background: others.has(entry.id)
                    ? BESIDE[order.indexOf(entry.id) % BESIDE.length]
                    : "transparent",
                }}
              />
              <Name text={`${entry.model} ${entry.name}`} />
            </button>
          ))}
        </>
      )}
    </DropDown>
  );
}
