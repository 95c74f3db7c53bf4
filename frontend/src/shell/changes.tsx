/** What differs between two networks: all of it as a list, and what of it is about one item. */

import { useMemo, useState } from "react";
import type { Item } from "../graph/network";
import { exact } from "../graph/text";
import { useBench } from "./bench";
import type { Comparison, Difference } from "./comparison";
import { Name } from "./name";
import { Few, Section } from "./section";

const SIGNS = { added: "+", removed: "−", renamed: "→", changed: "≠" } as const;

/** Lists all differences; each flies to its place. */
export function ChangeList({ comparison }: { comparison: Comparison }) {
  const [kind, setKind] = useState<Difference["kind"] | "all">("all");
  const { differences: all } = comparison;
  const [whole, setWhole] = useState(false);
  const differences = useMemo(
    () => (whole ? all : all.filter((one) => !one.implied)),
    [all, whole],
  );
  const counts = useMemo(() => {
    const found = new Map<string, number>();
    for (const one of differences) found.set(one.kind, (found.get(one.kind) ?? 0) + 1);
    return [...found];
  }, [differences]);
  const shown = kind === "all" ? differences : differences.filter((one) => one.kind === kind);
  return (
    <Section title="Differences" aside={<span className="vz-faint">{exact(all.length)}</span>}>
      {differences.length === 0 ? <p>The two networks are the same.</p> : null}
      {counts.length > 1 ? (
        <div className="vz-chips">
          {counts.map(([name, times]) => (
            <button
              key={name}
              type="button"
              aria-pressed={kind === name}
              onClick={() => setKind(kind === name ? "all" : (name as Difference["kind"]))}
            >
              {name} {exact(times)}
            </button>
          ))}
        </div>
      ) : null}
      <ul className="vz-changes" key={`${kind} ${whole}`}>
        <Few
          all={shown}
          most={40}
          show={(one, at) => (
            <li key={at}>
              <Change difference={one} />
            </li>
          )}
        />
      </ul>
      {all.length > differences.length || whole ? (
        <button type="button" className="vz-more" onClick={() => setWhole(!whole)}>
          {whole
            ? "Leave out what is in these"
            : `Show ${exact(all.length - differences.length)} in these`}
        </button>
      ) : null}
    </Section>
  );
}

/** Tells what differs about an item; nothing if nothing does. */
export function ItemChanges({ item }: { item: Item }) {
  const { comparison } = useBench();
  const found = comparison?.differences.filter((one) => one.item === item) ?? [];
  if (found.length === 0) return null;
  return (
    <Section title="What differs">
      <ul className="vz-changes">
        <Few
          all={found}
          show={(one, at) => (
            <li key={at}>
              <Change difference={one} details />
            </li>
          )}
        />
      </ul>
    </Section>
  );
}

function Change({ difference, details = false }: { difference: Difference; details?: boolean }) {
  const { view, comparison, revealElsewhere } = useBench();
  const { kind, what, before, after, item } = difference;
  const there = item === null ? (comparison?.elsewhere(difference) ?? null) : null;
  const go = () => {
    if (item !== null) view.actions.reveal(item);
    else if (there !== null) revealElsewhere(there);
  };
  return (
    <>
      <button
        type="button"
        className="vz-change"
        data-kind={kind}
        disabled={item === null && there === null}
        onClick={go}
        onPointerEnter={() => item !== null && view.actions.hover(item)}
        onPointerLeave={() => view.actions.hover(null)}
      >
        <span className="vz-sign" role="img" aria-label={kind}>
          {SIGNS[kind]}
        </span>
        <span className="vz-faint">{what}</span>
        <Name text={after ?? before ?? ""} mono />
      </button>
      {kind === "renamed" && before ? (
        <p className="vz-faint">
          was <Name text={before} mono />
        </p>
      ) : null}
      {details || difference.rows.length <= 2
        ? difference.rows.map(([name, old, now]) => (
            <p key={name} className="vz-detail">
              <Name text={name} />{" "}
              <del>
                <Name text={old} mono />
              </del>{" "}
              <ins>
                <Name text={now} mono />
              </ins>
            </p>
          ))
        : null}
    </>
  );
}
