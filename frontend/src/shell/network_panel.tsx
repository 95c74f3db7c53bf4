/** The side panel without a selection: what the whole network is, and where its weight lies. */

import { useMemo, useState } from "react";
import { heldParameters } from "../graph/held";
import {
  CATEGORIES,
  type Category,
  type Item,
  type Network,
  type Quantity,
} from "../graph/network";
import { bytes, count, exact, flops, plain, shorten } from "../graph/text";
import type { WireNetwork, WireTopology } from "../wire";
import { useBench, usePrefs } from "./bench";
import { ChangeList } from "./changes";
import { Name } from "./name";
import { ItemLink, Pairs, Section } from "./section";
import { Bar } from "./swatch";

/** Totals of a network; of two, before and after where they differ. */
function totals(networks: readonly WireNetwork[]): [string, string][] {
  const told = networks.map(({ topology, scope_costs: costs }) => {
    const [unknown] = costs.unknown_flops;
    const idle = heldParameters(topology) - costs.parameters[0];
    return [
      ["Parameters", exact(costs.parameters[0])],
      ["Never used", idle > 0 ? `${exact(idle)} more` : ""],
      ["Trainable", exact(costs.trainable[0])],
      ["Weights", bytes(costs.parameter_bytes[0])],
      ["Work", flops(costs.flops[0])],
      ["Work unknown", unknown > 0 ? `${exact(unknown)} ops` : ""],
      ["Activations", bytes(costs.activation_bytes[0])],
      ["Ops", exact(topology.nodes.id.length)],
      ["Modules", exact(topology.scopes.id.length)],
    ] as const;
  });
  return told[0].flatMap(([name], row) => {
    const texts = [...new Set(told.map((one) => one[row][1]))];
    return texts.join("") === "" ? [] : [[name, texts.map((one) => one || "none").join(" → ")]];
  });
}

type Heavy = Extract<Quantity, "parameters" | "flops" | "activation_bytes">;

const HEAVY: readonly (readonly [Heavy, string])[] = [
  ["parameters", "Parameters"],
  ["flops", "Work"],
  ["activation_bytes", "Activations"],
];
const SHOWN = 8;

/**
 * Shows totals, the heaviest ops, and how the network was captured.
 *
 * Of two networks it tells the totals of both, and of the last how it was captured.
 */
export function NetworkPanel({ sent }: { sent: readonly WireNetwork[] }) {
  const { network, comparison } = useBench();
  const pairs = useMemo(() => totals(sent), [sent]);
  return (
    <>
      <header className="vz-panel-head">
        <p className="vz-kind">network</p>
        <h2>
          <Name text={network.name} />
        </h2>
        <p className="vz-faint">
          <Name text={network.words.type(network.root)} mono />
        </p>
      </header>
      {comparison ? <ChangeList comparison={comparison} /> : null}
      <Section title="In all">
        <Pairs pairs={pairs} />
      </Section>
      <Heaviest network={network} />
      <Report document={sent[sent.length - 1].topology} />
    </>
  );
}

function Heaviest({ network }: { network: Network }) {
  const [by, setBy] = useState<Heavy>("parameters");
  const groups = useMemo(() => byClass(network, by), [network, by]);
  const items = useMemo(() => heaviest(network, by), [network, by]);
  const letters = usePrefs((one) => Math.max(12, Math.floor((one.panelWidth - 112) / 7.3)));
  const total = network.quantities[by][network.root];
  const text = by === "parameters" ? count : by === "flops" ? flops : bytes;
  return (
    <Section
      title="Where it lies"
      aside={
        <select
          className="vz-select"
          aria-label="Count"
          value={by}
          onChange={(event) => setBy(event.target.value as Heavy)}
        >
          {HEAVY.map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      }
    >
      {groups.length === 0 ? <p className="vz-faint">Nothing is known.</p> : null}
      <ul className="vz-shares">
        {groups.map((one) => (
          <li key={one.label}>
            <Bar category={one.category} percent={share(one.sum, groups[0].sum)} />
            <Name text={one.label} />
            <small>×{exact(one.times)}</small>
            <span className="vz-number">{text(one.sum)}</span>
          </li>
        ))}
      </ul>
      <ol className="vz-heavy">
        {items.map((item) => (
          <li key={item}>
            <ItemLink item={item} text={shorten(plain(network.ids[item]), letters)} />
            <span className="vz-number">
              {text(network.quantities[by][item])}
              <small>
                {total > 0 ? ` ${Math.round(share(network.quantities[by][item], total))}%` : ""}
              </small>
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Report({ document }: { document: WireTopology }) {
  const { report, origin } = document;
  const failures = Object.entries(report.failures);
  const known = report.route !== "" || report.passes.length > 0 || failures.length > 0;
  const origins = Object.entries(origin).filter(([name]) => name !== "route");
  if (!known && origins.length === 0) return null;
  return (
    <Section title="How it was captured">
      <Pairs
        pairs={[
          ...(report.route ? [["Route", report.route] as const] : []),
          ...origins.map(([name, value]) => [name, value] as const),
        ]}
      />
      {failures.map(([route, why]) => (
        <details key={route} className="vz-details">
          <summary>
            <Name text={`${route} could not`} />
          </summary>
          <pre>
            <Name text={why} mono title={false} />
          </pre>
        </details>
      ))}
      {report.notes.map((note) => (
        <p key={note} className="vz-note">
          {note.slice(0, 2000)}
        </p>
      ))}
      <table className="vz-table" hidden={report.passes.length === 0}>
        <thead>
          <tr>
            <th scope="col">pass</th>
            <th scope="col" className="vz-number">
              ms
            </th>
            <th scope="col" className="vz-number">
              ops
            </th>
            <th scope="col" className="vz-number">
              edges
            </th>
          </tr>
        </thead>
        <tbody>
          {report.passes.map((pass, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a pass may run twice, and they do not move
            <tr key={at}>
              <td>
                <Name text={pass.name} />
              </td>
              <td className="vz-number">{(pass.seconds * 1000).toFixed(1)}</td>
              <td className="vz-number">{exact(pass.nodes)}</td>
              <td className="vz-number">{exact(pass.edges)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** Gives the ops that have something of a quantity; of several with the same weights the first. */
function counted(network: Network, by: Heavy): Item[] {
  const seen = new Set<string>();
  const items: Item[] = [];
  for (let item = 0; item < network.nodes; item += 1) {
    if (network.quantities[by][item] <= 0) continue;
    if (by === "parameters") {
      const reads = network.words.reads(item);
      if (reads.length > 0 && reads.every((name) => seen.has(name))) continue;
      for (const name of reads) seen.add(name);
    }
    items.push(item);
  }
  return items;
}

function byClass(network: Network, by: Heavy) {
  const groups = new Map<
    string,
    { label: string; category: Category; sum: number; times: number }
  >();
  const numbers = network.quantities[by];
  for (const item of counted(network, by)) {
    const label = network.label(item);
    const group = groups.get(label);
    if (group) {
      group.sum += numbers[item];
      group.times += 1;
    } else {
      groups.set(label, {
        label,
        category: CATEGORIES[network.category[item]],
        sum: numbers[item],
        times: 1,
      });
    }
  }
  return [...groups.values()].sort((a, b) => b.sum - a.sum).slice(0, SHOWN);
}

function heaviest(network: Network, by: Heavy): Item[] {
  const numbers = network.quantities[by];
  const best: Item[] = [];
  for (const item of counted(network, by)) {
    if (best.length === SHOWN && numbers[item] <= numbers[best[SHOWN - 1]]) continue;
    let at = best.length;
    while (at > 0 && numbers[best[at - 1]] < numbers[item]) at -= 1;
    best.splice(at, 0, item);
    if (best.length > SHOWN) best.pop();
  }
  return best;
}

function share(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}
