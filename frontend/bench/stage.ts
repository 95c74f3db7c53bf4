/**
 * The stage alone, without the rest of the page, to look at and to measure.
 *
 * `stage.html?net=/wires/resnet18.json&depth=2` shows a network (bench/stage.py answers for
 * /wires/), `?made=100000` a picture of that many boxes that no layout made. `&theme=dark`.
 */

import { caption } from "../src/graph/caption";
import type { Item, Network } from "../src/graph/network";
import { outline } from "../src/graph/outline";
import { readWire } from "../src/graph/read";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import type { Opening, Picture } from "../src/layout/picture";
import { survey } from "../src/layout/survey";
import { createStage } from "../src/scene/create";
import { createMinimap } from "../src/scene/minimap";
import type { Colours, Dimension, Paint, Stage } from "../src/scene/stage";
import { toSvg } from "../src/scene/svg";
import { madePicture } from "./stage_picture";

const LIGHT: Colours = {
  ground: 0xf6f7f9,
  text: 0x1c2430,
  faint: 0x5c6773,
  wire: 0x8a94a3,
  scopes: [0xffffff, 0xf1f4f8, 0xe8edf3, 0xdfe6ee],
  scopeLine: 0xc3ccd8,
  accent: 0x0a66d6,
};
const DARK: Colours = {
  ground: 0x14171c,
  text: 0xe8ecf1,
  faint: 0x9aa5b1,
  wire: 0x66717f,
  scopes: [0x1b2027, 0x222831, 0x2a313b, 0x323a45],
  scopeLine: 0x3d4754,
  accent: 0x5aa9ff,
};
const FILLS = [
  0xd9dee5, 0x9ecae9, 0xbcd7f0, 0xf7c59f, 0xf2b5d4, 0xc8b6e2, 0xb8e0c8, 0xfff0b3, 0xa8dadc, 0xe5e5e5,
  0xd5e8d4, 0xc9e4de, 0xe2ece9, 0xf4acb7, 0xdddddd, 0xffffff, 0xeeeeee,
];

interface Bench {
  stage: Stage;
  picture: Picture;
  paint: Paint;
  network: Network | null;
  open: Set<Item>;
  unfolded: Set<Item>;
  relay: (anchor: Item | null, animate: boolean) => void;
  set: (part: Partial<Paint>) => void;
  events: unknown[];
  svg?: () => string;
}

declare global {
  interface Window {
    bench: Bench;
  }
}

const query = new URLSearchParams(location.search);
const colours = query.get("theme") === "dark" ? DARK : LIGHT;
const container = document.getElementById("stage") as HTMLElement;
const events: unknown[] = [];
const stage = createStage(container, {
  onHover: (item) => {
    events.push(["hover", item]);
    bench.set({ hovered: item });
  },
  onPick: (item) => {
    events.push(["pick", item]);
    bench.set({ selected: item });
  },
  onToggle: (item) => {
    events.push(["toggle", item]);
    if (bench.network === null || item < bench.network.nodes) return;
    if (bench.open.has(item)) bench.open.delete(item);
    else bench.open.add(item);
    bench.relay(item, true);
  },
  onCamera: (camera) => {
    events.push(["camera", camera]);
    map.look(camera, { width: innerWidth, height: innerHeight });
  },
  onTrouble: (text) => events.push(["trouble", text]),
});

const bench: Bench = {
  stage,
  network: null,
  open: new Set(),
  unfolded: new Set(),
  picture: madePicture(1),
  paint: {
    fill: () => 0xffffff,
    line: () => 0x999999,
    lit: null,
    selected: null,
    hovered: null,
    colours,
  },
  relay: () => {},
  set: (part) => {
    bench.paint = { ...bench.paint, ...part };
    stage.paint(bench.paint);
  },
  events,
};
window.bench = bench;

const map = createMinimap(document.getElementById("map") as HTMLElement, (x, y) =>
  stage.setCamera({ ...stage.camera(), x, y }, { animate: false }),
);

const file = query.get("net");
if (file === null) {
  bench.picture = madePicture(Number(query.get("made") ?? "1000"));
  const picture = bench.picture;
  stage.show(picture, (item) => ({ title: `Module ${item}`, detail: "1×64×56×56 · 1.2M" }), {
    animate: false,
    anchor: null,
  });
  bench.set({ fill: (box) => FILLS[picture.boxes.item[box] % 17], line: () => 0x8090a0 });
} else {
  const network = readWire(await (await fetch(file)).json()).networks[0];
  const known = survey(outline(network));
  const memo = emptyMemo();
  const depth = Number(query.get("depth") ?? "1");
  for (let item = network.root; item < network.root + network.scopes; item++) {
    if (network.depth[item] < depth) bench.open.add(item);
  }
  bench.network = network;
  bench.relay = (anchor, animate) => {
    const opening: Opening = {
      open: bench.open,
      unfolded: bench.unfolded,
      aspect: innerWidth / innerHeight,
    };
    const picture = layOut(known, opening, memo);
    bench.picture = picture;
    const began = performance.now();
    stage.show(
      picture,
      (item) => ({ ...caption(network, item), scope: item >= network.nodes }),
      {
        animate,
        anchor,
        wireLabel: (wire) => {
          const spec = network.specs[network.edges.spec[picture.wires.edge[wire]]];
          return spec === undefined ? "" : `${spec.text} ${spec.dtype}`;
        },
      },
    );
    const dark = colours === DARK;
    bench.set({
      fill: (box) => {
        const fill = FILLS[network.category[picture.boxes.item[box]]];
        return dark ? ((fill >> 1) & 0x7f7f7f) : fill;
      },
      line: () => (dark ? 0x8a94a3 : 0x7d8896),
    });
    events.push(["show", performance.now() - began]);
  };
  bench.relay(null, false);
}
const dimension = query.get("dimension") as Dimension | null;
if (dimension !== null) {
  const { boxes } = bench.picture;
  const bytes = new Float64Array(boxes.item.length);
  const { wires, boxOf } = bench.picture;
  for (let wire = 0; wire < wires.source.length; wire++) {
    const box = boxOf[wires.source[wire]];
    bytes[box] = Math.max(bytes[box], wires.bytes[wire]);
  }
  stage.setDimension(dimension, (box) => Math.log2(1 + bytes[box]) / 32);
}
map.show(bench.picture, bench.paint);
map.look(stage.camera(), { width: innerWidth, height: innerHeight });
bench.svg = () => {
  const { network } = bench;
  return toSvg(
    bench.picture,
    network === null
      ? (item) => ({ title: `Module ${item}`, detail: "" })
      : (item) => caption(network, item),
    bench.paint,
  );
};
document.title = "ready";
