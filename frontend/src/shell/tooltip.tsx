/** What is under the pointer, in a few words. */

import { useLayoutEffect, useRef, useState } from "react";
import { CATEGORIES } from "../graph/network";
import { count, flops } from "../graph/text";
import { spell } from "../runs/measures";
import type { RunStore } from "../runs/store";
import { useBench, useView } from "./bench";
import { Name } from "./name";
import { useRun } from "./run_context";
import { Swatch } from "./swatch";

/** Where the pointer is on the canvas, null if it is not on a box. */
export interface Pointer {
  readonly item: number;
  readonly x: number;
  readonly y: number;
}

const GAP = 14;

/** Shows the name, class, shape and weight of a box. */
export function Tooltip({ pointer }: { pointer: Pointer }) {
  const { network, root, run } = useBench();
  const selected = useView((state) => state.selected);
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ left: -9999, top: 0 });
  const { item, x, y } = pointer;
  useLayoutEffect(() => {
    const tip = box.current;
    if (!tip) return;
    const frame = root.getBoundingClientRect();
    const below = y - frame.top + GAP;
    const fits = below + tip.offsetHeight < frame.height - 4;
    setAt({
      left: Math.max(4, Math.min(x - frame.left + GAP, frame.width - tip.offsetWidth - 8)),
      top: fits ? below : Math.max(4, y - frame.top - GAP - tip.offsetHeight),
    });
  }, [x, y, root]);
  if (item === network.root || item === selected) return null;
  const settings = network.words.settings(item);
  const spec = network.specs[network.gives[item]];
  const { parameters, flops: work } = network.quantities;
  const facts = [
    spec ? `${spec.text} ${spec.dtype}` : "",
    parameters[item] > 0 ? `${count(parameters[item])} parameters` : "",
    work[item] > 0 ? flops(work[item]) : "",
  ].filter((one) => one !== "");
  return (
    <div ref={box} className="vz-tooltip" aria-hidden="true" style={at}>
      <p>
        <Swatch category={CATEGORIES[network.category[item]]} />
        <strong>
          <Name text={network.label(item)} title={false} />
        </strong>
      </p>
      <p>
        <Name text={network.ids[item]} mono title={false} />
      </p>
      {settings ? (
        <p className="vz-faint">
          <Name text={settings} mono title={false} />
        </p>
      ) : null}
      {facts.length > 0 ? <p className="vz-faint">{facts.join(" · ")}</p> : null}
      {run ? <Measured run={run} item={item} /> : null}
    </div>
  );
}

/** The value that gives a box its colour, and whose it is where the box stands for several. */
function Measured({ run, item }: { run: RunStore; item: number }) {
  const { network } = useBench();
  const shown = useRun(run, (state) => state.boxes);
  const measure = useRun(run, (state) => state.matrixOf);
  if (!shown || !measure) return null;
  const from = shown.from[item];
  return (
    <p>
      {measure.title} <strong>{spell(measure, shown.values[item])}</strong>
      {from === item ? null : (
        <>
          {" of "}
          <Name text={network.ids[from]} mono title={false} />
        </>
      )}
    </p>
  );
}
