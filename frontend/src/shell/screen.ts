/** What is on screen as data: boxes where they stand and wires between them. */

import { caption } from "../graph/caption";
import type { Picture } from "../layout/picture";
import { isScope } from "../view/opening";
import type { View } from "../view/store";

/** Writes what is on screen as JSON text. */
export function screenJson(
  { network, store }: View,
  { boxes, wires, width, height }: Picture,
): string {
  const state = store.getState();
  const name = (item: number) => network.ids[item];
  const { parameters, flops, activation_bytes } = network.quantities;
  const shown = Array.from(boxes.item, (item, box) => ({
    id: name(item),
    kind: isScope(network, item) ? "scope" : "node",
    label: caption(network, item).title,
    type: network.words.type(item),
    parent: network.parent[item] < 0 ? null : name(network.parent[item]),
    open: boxes.open[box] === 1,
    repeat: boxes.repeat[box],
    shape: network.specs[network.gives[item]]?.shape ?? null,
    dtype: network.specs[network.gives[item]]?.dtype ?? null,
    parameters: parameters[item],
    flops: flops[item],
    activation_bytes: activation_bytes[item],
    x: boxes.x[box],
    y: boxes.y[box],
    width: boxes.width[box],
    height: boxes.height[box],
  }));
  const drawn = Array.from(wires.source, (source, wire) => {
    const spec = network.specs[network.edges.spec[wires.edge[wire]]];
    return {
      source: name(source),
      target: name(wires.target[wire]),
      values: wires.values[wire],
      shape: spec?.shape ?? null,
      dtype: spec?.dtype ?? null,
      bytes: wires.bytes[wire],
    };
  });
  const document = {
    schema: "visuai/screen@1",
    network: network.name,
    selected: state.selected === null ? null : name(state.selected),
    width,
    height,
    boxes: shown,
    wires: drawn,
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** Hands a file to the user. */
export function download(content: Blob | string, name: string, type: string): void {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name for a file, of letters that all systems take. */
export function fileName(name: string, ending: string): string {
  const kept = name
    .slice(0, 200)
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return `${kept.slice(0, 80) || "network"}.${ending}`;
}
