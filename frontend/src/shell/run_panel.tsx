/** The side panel's part of a run: what the tensors of a selected item did. */

import { useMemo, useState } from "react";
import type { Item, Network } from "../graph/network";
import { exact, plain, shorten } from "../graph/text";
import { columnOf } from "../runs/matrix";
import { spell, spellNumber } from "../runs/measures";
import { barsAt, distributionPixels } from "../runs/pixels";
import { itemOf } from "../runs/places";
import { type RunStore, stepNow } from "../runs/store";
import { repeatOf, runFirst } from "../view/opening";
import { useBench, useView } from "./bench";
import { Name } from "./name";
import { Chart, type ChartLine } from "./run_chart";
import { useRun, useSeries } from "./run_context";
import { Picture } from "./run_overview";
import { Few, Section } from "./section";

/** A tensor or module inside of an item, and what was recorded of it. */
interface Inside {
  readonly fqn: string;
  readonly quantities: readonly string[];
}

const NORM = "#3b76e0";
const RATIO = "#009e73";

/** Tells what the run did to an item; nothing where nothing of it was recorded. */
export function RunSection({ item }: { item: Item }) {
  const { run, network } = useBench();
  return run && item !== network.root ? <Recorded run={run} item={item} /> : null;
}

function Recorded({ run, item }: { run: RunStore; item: Item }) {
  const { network } = useBench();
  const about = useRun(run, (state) => state.about);
  const [chosen, setChosen] = useState<string | null>(null);
  const inside = useMemo<readonly Inside[]>(() => {
    if (!about) return [];
    const { enter, leave } = network;
    return [...about.parameters, ...about.modules].filter(({ fqn, quantities }) => {
      const at = quantities.length > 0 ? itemOf(network, fqn) : null;
      return at !== null && enter[item] <= enter[at] && enter[at] < leave[item];
    });
  }, [about, network, item]);
  const shown = inside.find(({ fqn }) => fqn === chosen) ?? inside[0];
  if (!shown) return <StandsFor run={run} item={item} />;
  const few = inside.slice(0, MOST_SMALL);
  return (
    <>
      <Section
        title="In this run"
        aside={
          inside.length > 1 ? (
            <span className="vz-faint">{exact(inside.length)} tensors</span>
          ) : null
        }
      >
        <StandsFor run={run} item={item} />
        {inside.length > 1 ? (
          <p className="vz-faint vz-run-caption">gradients: distribution and norm at this step</p>
        ) : null}
        {inside.length > 1 ? (
          <ul className="vz-run-small">
            <Few
              all={few}
              most={MOST_SMALL}
              show={(one) => (
                <li key={one.fqn}>
                  <Small
                    run={run}
                    one={one}
                    within={network.words.fqn(item)}
                    pressed={one === shown}
                    choose={() => setChosen(one.fqn)}
                  />
                </li>
              )}
            />
          </ul>
        ) : null}
        {inside.length > few.length ? (
          <select
            className="vz-select vz-run-subject"
            aria-label="Tensor"
            value={shown.fqn}
            onChange={(event) => setChosen(event.target.value)}
          >
            {inside.slice(0, MOST_CHOICES).map(({ fqn }) => (
              <option key={fqn} value={fqn}>
                {fqn.slice(-60)}
              </option>
            ))}
          </select>
        ) : null}
      </Section>
      <OneTensor key={shown.fqn} run={run} one={shown} />
    </>
  );
}

/** Which of several modules gives a folded box its colour, with a way there. */
function StandsFor({ run, item }: { run: RunStore; item: Item }) {
  const { network, view } = useBench();
  const from = useRun(run, (state) => state.boxes?.from[item] ?? null);
  const value = useRun(run, (state) => state.boxes?.values[item] ?? Number.NaN);
  const measure = useRun(run, (state) => state.matrixOf);
  const unfolded = useView((state) => state.unfolded);
  const first = outermostFolded(network, unfolded, item);
  if (first === null || from === null || !measure) return null;
  const times = exact(repeatOf(network, first));
  return (
    <p className="vz-run-stands">
      {from === item
        ? `Of ${times} alike, this one gives the box its colour: the extreme one.`
        : `The box has the colour of the extreme one of ${times} alike, below is the first. `}
      {from === item ? null : (
        <button type="button" className="vz-link" onClick={() => view.actions.reveal(from)}>
          <Name text={network.ids[from]} mono /> {spell(measure, value)}
        </button>
      )}
    </p>
  );
}

/** The outermost folded run that an item is in, null if it is in none. */
function outermostFolded(network: Network, unfolded: ReadonlySet<Item>, item: Item): Item | null {
  let found: Item | null = null;
  for (let at = item; at >= 0; at = network.parent[at]) {
    const first = runFirst(network, at);
    if (repeatOf(network, first) > 1 && !unfolded.has(first)) found = first;
  }
  return found;
}

const MOST_SMALL = 8;
const MOST_CHOICES = 1000;

/** The distribution of a tensor over steps, with its norm and the ratio of updates to weights. */
function OneTensor({ run, one }: { run: RunStore; one: Inside }) {
  const offered = one.quantities.filter((name) => name !== "activity");
  const [chosen, setChosen] = useState("gradient");
  const quantity = offered.includes(chosen) ? chosen : (offered[0] ?? "");
  const step = useRun(run, stepNow);
  const { series, trouble } = useSeries(run, quantity ? one.fqn : null, quantity);
  const lines = useMemo<readonly ChartLine[]>(() => {
    if (!series) return [];
    const { steps, statistics } = series;
    const line = (name: string, label: string, colour: string, right = false): ChartLine[] =>
      statistics[name] ? [{ label, colour, right, line: { steps, values: statistics[name] } }] : [];
    return [
      ...line("norm", "norm", NORM),
      ...(quantity === "update" ? line("ratio", "update ÷ weight", RATIO, true) : []),
    ];
  }, [series, quantity]);
  const pixels = useMemo(
    () => (series?.distribution ? distributionPixels(series.distribution) : null),
    [series],
  );
  const column = series && step !== null ? columnOf(series.steps, step) : 0;
  const value = (name: string) => spellNumber(series?.statistics[name]?.[column]);

  return (
    <section className="vz-run-tensor" aria-label={`Series of ${one.fqn.slice(0, 200)}`}>
      <p>
        <Name text={one.fqn} mono />
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset looks otherwise */}
      <div className="vz-segments" role="group" aria-label="Quantity">
        {offered.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === quantity}
            onClick={() => setChosen(name)}
          >
            {name}
          </button>
        ))}
      </div>
      {trouble ? <p className="vz-dock-trouble">{trouble}</p> : null}
      {series && pixels && series.distribution ? (
        <figure>
          <div
            className="vz-distribution"
            role="img"
            aria-label={`Distribution of the ${quantity} over steps`}
          >
            <Picture pixels={pixels} />
            <span
              className="vz-overview-step"
              style={{ left: `${((column + 0.5) / Math.max(1, series.steps.length)) * 100}%` }}
            />
            <Edges edges={series.distribution.edges} />
          </div>
          <figcaption className="vz-faint">
            values on a logarithm either way from 0, steps {exact(series.steps[0] ?? 0)} –{" "}
            {exact(series.steps.at(-1) ?? 0)}
          </figcaption>
        </figure>
      ) : null}
      {series ? (
        <>
          <dl className="vz-run-values">
            <div>
              <dt className="vz-line-key" style={{ borderColor: NORM }}>
                norm
              </dt>
              <dd>{value("norm")}</dd>
            </div>
            <div>
              <dt
                className={quantity === "update" ? "vz-line-key" : undefined}
                style={quantity === "update" ? { borderColor: RATIO } : undefined}
              >
                {quantity === "update" ? "÷ weight" : "per element"}
              </dt>
              <dd>{value(quantity === "update" ? "ratio" : "rms")}</dd>
            </div>
            <div>
              <dt>zeros</dt>
              <dd>{share(series.statistics.zero_share?.[column])}</dd>
            </div>
            <div>
              <dt>not finite</dt>
              <dd>{value("nonfinite")}</dd>
            </div>
          </dl>
          <Chart run={run} lines={lines} label={`Norm of the ${quantity} over steps`} />
        </>
      ) : (
        <p className="vz-faint">{trouble ? "" : "Reading…"}</p>
      )}
    </section>
  );
}

/** Values at the top, at zero and at the bottom of a distribution. */
function Edges({ edges }: { edges: readonly number[] }) {
  const zero = edges.findIndex((edge, at) => edge < 0 && (edges[at + 1] ?? 0) > 0);
  const bins = edges.length - 1;
  return (
    <>
      <span className="vz-edge" style={{ top: 0 }}>
        {spellNumber(edges[bins])}
      </span>
      {zero > 0 && zero < bins - 1 ? (
        <span
          className="vz-edge"
          style={{ top: `${((bins - 0.5 - zero) / bins) * 100}%` }}
          data-mid=""
        >
          0
        </span>
      ) : null}
      <span className="vz-edge" style={{ bottom: 0 }}>
        {spellNumber(edges[0])}
      </span>
    </>
  );
}

/** One tensor among several: its name, its histogram at the step, and its norm. */
function Small({
  run,
  one,
  within,
  pressed,
  choose,
}: {
  run: RunStore;
  one: Inside;
  /** FQN of the item that is selected, which need not be said again. */
  within: string;
  pressed: boolean;
  choose: () => void;
}) {
  const quantity = one.quantities.includes("gradient") ? "gradient" : one.quantities[0];
  const step = useRun(run, stepNow);
  const { series } = useSeries(run, one.fqn, quantity);
  const column = series && step !== null ? columnOf(series.steps, step) : 0;
  const inner = one.fqn.startsWith(`${within}.`) ? one.fqn.slice(within.length + 1) : one.fqn;
  const short =
    quantity !== "activation" ? inner : inner === within ? "its output" : `${inner}, its output`;
  const bars = series?.distribution ? barsAt(series.distribution, column) : [];
  return (
    <button
      type="button"
      aria-pressed={pressed}
      title={plain(one.fqn.slice(0, 2000))}
      onClick={choose}
    >
      <Name text={shorten(plain(short), 21)} title={false} mono />
      <Bars bars={bars} />
      <small>{series ? spellNumber(series.statistics.norm?.[column]) : "…"}</small>
    </button>
  );
}

function Bars({ bars }: { bars: readonly number[] }) {
  const width = 56;
  const height = 16;
  // Where all is in one bin, as with nothing but zeros, that is a line and not a full field.
  const each = bars.length === 1 ? 2 : width / Math.max(1, bars.length);
  const left = (width - each * bars.length) / 2;
  const path = bars
    .map(
      (bar, at) =>
        `M${(left + at * each).toFixed(2)} ${height}v${(-bar * height).toFixed(2)}h${each.toFixed(2)}V${height}z`,
    )
    .join("");
  return (
    <svg className="vz-run-bars" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

function share(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : `${Number((value * 100).toPrecision(3))} %`;
}
