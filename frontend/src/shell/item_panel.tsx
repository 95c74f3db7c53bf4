/** The side panel for a selected item: everything that is known of it. */

import { useMemo } from "react";
import { CATEGORIES, type Facts, type Item, type Tensor, type Value } from "../graph/network";
import { bytes, count, exact, flops, plain, shorten } from "../graph/text";
import { isScope } from "../view/opening";
import { useBench, usePrefs, useView } from "./bench";
import { ItemChanges } from "./changes";
import { Icon } from "./icons";
import { Name } from "./name";
import { RunSection } from "./run_panel";
import { Copyable, Few, ItemLink, Pairs, Section } from "./section";
import { Swatch } from "./swatch";

/** Shows what is known of an item. */
export function ItemPanel({ item }: { item: Item }) {
  const { network } = useBench();
  const facts = useMemo(() => network.facts(item), [network, item]);
  const call = facts.call !== null && facts.call > 0 ? facts.call : null;
  return (
    <>
      <header className="vz-panel-head">
        <p className="vz-kind">
          <Swatch category={CATEGORIES[network.category[item]]} />
          {facts.kind === "scope" ? "module" : words(facts.opKind)}
          {facts.category && facts.category !== "module" ? ` · ${facts.category}` : ""}
          {facts.repeat > 1 ? ` · first of ${facts.repeat} alike` : ""}
        </p>
        <h2>
          <Name text={network.label(item)} />
        </h2>
        <p>
          <Copyable text={facts.id || network.name} label="id" />
        </p>
        <p className="vz-faint">
          <Name text={facts.type} mono />
        </p>
        {call !== null ? (
          <p className="vz-faint">
            call {call + 1} of {facts.fqn}
          </p>
        ) : null}
      </header>
      <ItemActions item={item} />
      <ItemChanges item={item} />
      <RunSection item={item} />
      <Values title="Takes" values={facts.inputs} pruned={facts.pruned} />
      <Values title="Gives" values={facts.outputs} />
      <Costs facts={facts} />
      {facts.attributes.length > 0 ? (
        <Section title="Attributes">
          <Pairs pairs={facts.attributes} mono />
        </Section>
      ) : null}
      <Parameters parameters={facts.parameters} fqn={facts.fqn} />
      {facts.shared.length > 0 ? (
        <Section
          title={facts.parameters.length > 0 ? "Shares its weights with" : "Other calls of it"}
        >
          <ul className="vz-list">
            <Few
              all={facts.shared}
              show={(one) => (
                <li key={one}>
                  <ItemLink item={one} />
                </li>
              )}
            />
          </ul>
        </Section>
      ) : null}
      {facts.source ? <Source file={facts.source[0]} line={facts.source[1]} /> : null}
    </>
  );
}

function ItemActions({ item }: { item: Item }) {
  const { view, network, viewer } = useBench();
  const { actions } = view;
  const open = useView((state) => state.open.has(item));
  const scope = isScope(network, item) && item !== network.root;
  return (
    <div className="vz-actions">
      {scope ? (
        <button type="button" onClick={() => actions.toggle(item)}>
          <Icon name={open ? "collapseAll" : "expandAll"} />
          {open ? "Close" : "Open"}
        </button>
      ) : null}
      <button
        type="button"
        title="Light what leads here (U)"
        onClick={() => actions.trace("upstream", item)}
      >
        <Icon name="upstream" />
        Up
      </button>
      <button
        type="button"
        title="Light what follows (D)"
        onClick={() => actions.trace("downstream", item)}
      >
        <Icon name="downstream" />
        Down
      </button>
      <button
        type="button"
        title="Light the shortest path from here to another (P)"
        onClick={() => actions.path(item)}
      >
        <Icon name="path" />
        Path
      </button>
      <button
        type="button"
        title="Bring it to the middle (F)"
        aria-label="Bring it to the middle"
        onClick={() => viewer?.focus(item)}
      >
        <Icon name="target" />
      </button>
    </div>
  );
}

function Values({
  title,
  values,
  pruned = [],
}: {
  title: string;
  values: readonly Value[];
  pruned?: readonly string[];
}) {
  const { network } = useBench();
  const letters = usePrefs((one) => Math.floor((one.panelWidth - 104) / 7.3));
  if (values.length === 0) return null;
  return (
    <Section title={title}>
      <ul className="vz-values">
        <Few
          all={alike(values)}
          show={({ value, times }, at) => (
            <li key={at}>
              <span className="vz-mono">{value.spec ? value.spec.text : "unknown"}</span>
              <span className="vz-faint">
                {value.spec?.dtype}
                {times > 1 ? ` ×${exact(times)}` : ""}
              </span>
              {value.item >= 0 && value.item !== network.root ? (
                <ItemLink
                  item={value.item}
                  text={shorten(
                    plain(network.ids[value.item]),
                    Math.max(10, letters - (value.spec?.text.length ?? 7)),
                  )}
                />
              ) : null}
            </li>
          )}
        />
      </ul>
      {pruned.length > 0 ? (
        <p className="vz-faint">
          pruned on the way: <Name text={pruned.join(", ")} mono />
        </p>
      ) : null}
    </Section>
  );
}

/** Values of one shape that come from or go to one item, as one. */
function alike(values: readonly Value[]): { value: Value; times: number }[] {
  const found = new Map<string, { value: Value; times: number }>();
  for (const value of values) {
    const key = `${value.item} ${value.spec?.dtype} ${value.spec?.text}`;
    const known = found.get(key);
    if (known) known.times += 1;
    else found.set(key, { value, times: 1 });
  }
  return [...found.values()];
}

function Costs({ facts }: { facts: Facts }) {
  const { costs } = facts;
  const pairs: [string, string][] = [];
  const add = (name: string, text: string) => pairs.push([name, text]);
  if (costs.parameters) {
    const frozen = costs.parameters - (costs.trainable ?? costs.parameters);
    const note =
      frozen === 0 ? "" : frozen === costs.parameters ? ", frozen" : `, ${count(frozen)} frozen`;
    add("Parameters", exact(costs.parameters) + note);
  }
  if (costs.parameter_bytes) add("Weights", bytes(costs.parameter_bytes));
  if (costs.buffer_bytes) add("Buffers", bytes(costs.buffer_bytes));
  const more = (unknown: number | undefined) => (unknown ? `, ${exact(unknown)} ops unknown` : "");
  if (costs.flops || costs.unknown_flops)
    add("Work", flops(costs.flops ?? 0) + more(costs.unknown_flops));
  if (costs.activation_bytes || costs.unknown_activations) {
    add("Activations", bytes(costs.activation_bytes ?? 0) + more(costs.unknown_activations));
  }
  if (facts.kind === "scope" && costs.nodes) add("Ops inside", exact(costs.nodes));
  if (pairs.length === 0) return null;
  return (
    <Section title="Costs">
      <Pairs pairs={pairs} />
    </Section>
  );
}

function Parameters({ parameters, fqn }: { parameters: readonly Tensor[]; fqn: string }) {
  const letters = usePrefs((one) => Math.max(10, Math.floor((one.panelWidth - 196) / 7.3)));
  if (parameters.length === 0) return null;
  const prefix = `${fqn}.`;
  const only = parameters.every(({ dtype }) => dtype === parameters[0].dtype)
    ? parameters[0].dtype
    : null;
  const local = (name: string) => plain(name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return (
    <Section title="Tensors" aside={<span className="vz-faint">{exact(parameters.length)}</span>}>
      <table className="vz-table">
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">
              shape{only === null ? "" : ", "}
              {only}
            </th>
            <th scope="col" className="vz-number">
              size
            </th>
          </tr>
        </thead>
        <tbody>
          <Few
            all={parameters}
            most={12}
            show={(one) => (
              <tr key={one.fqn} data-kind={one.kind}>
                <td title={plain(one.fqn.slice(0, 2000))}>
                  <Name text={shorten(local(one.fqn), letters)} title={false} mono />
                  <small>
                    {one.kind === "parameter" ? (one.requiresGrad ? "" : "frozen") : one.kind}
                    {one.aliasOf === null ? "" : ` = ${one.aliasOf}`}
                  </small>
                </td>
                <td className="vz-mono">
                  {one.shape || "scalar"} {only === null ? <small>{one.dtype}</small> : null}
                </td>
                <td className="vz-number">{bytes(one.bytes)}</td>
              </tr>
            )}
          />
        </tbody>
      </table>
    </Section>
  );
}

function Source({ file, line }: { file: string; line: number }) {
  const short = file.split(/[\\/]/).slice(-2).join("/");
  return (
    <Section title="Called at">
      <Copyable
        text={`${file}:${line}`}
        label="file and line"
        shown={
          <span className="vz-name vz-mono" title={`${file}:${line}`}>
            <bdi>{short}</bdi>:{line}
          </span>
        }
      />
    </Section>
  );
}

function words(opKind: string): string {
  const names: Record<string, string> = {
    call_module: "module call",
    call_function: "function call",
    call_method: "method call",
    placeholder: "input",
    get_attr: "constant",
    output: "output",
  };
  return names[opKind] ?? opKind;
}
