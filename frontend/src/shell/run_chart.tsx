/** Lines over steps, drawn by uPlot; the step one looks at is marked, a click goes to another. */

import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { ScalarLine } from "../runs/answers";
import { spellNumber } from "../runs/measures";
import { joined, wantsLog } from "../runs/overlay";
import { type RunStore, stepNow } from "../runs/store";

/** One line of a chart. */
export interface ChartLine {
  readonly label: string;
  readonly line: ScalarLine | undefined;
  readonly colour: string;
  readonly dashed?: boolean;
  /** Whether it goes by the axis on the right. */
  readonly right?: boolean;
}

interface ChartProps {
  readonly run: RunStore;
  readonly lines: readonly ChartLine[];
  readonly label: string;
}

/** Draws lines. */
export function Chart({ run, lines, label }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const data = joined(lines.map(({ line }) => line));
  const latest = useRef(data);
  latest.current = data;
  const left = data.slice(1).filter((_, at) => !lines[at].right) as (number | null)[][];
  const log = wantsLog(left);
  // A chart is made anew only when its lines are others, not when they grow.
  const kind = JSON.stringify([
    log,
    lines.map((one) => [one.label, one.colour, one.right ?? false]),
  ]);
  const latestLines = useRef(lines);
  latestLines.current = lines;

  // biome-ignore lint/correctness/useExhaustiveDependencies: kind says when
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const right = latestLines.current.some((one) => one.right);
    const axis = (scale: string, side: 1 | 2 | 3) => ({
      scale,
      side,
      stroke: colour("--faint"),
      font: "11px system-ui, sans-serif",
      grid: { show: side !== 1, stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      gap: 3,
    });
    const made = new uPlot(
      {
        width: Math.max(80, element.clientWidth),
        height: Math.max(60, element.clientHeight),
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
        scales: { x: { time: false }, y: log ? { distr: 3 } : {}, ...(right ? { r: {} } : {}) },
        padding: [8, right ? 0 : 10, 0, 0],
        axes: [
          { ...axis("x", 2), size: 20, space: 60 },
          { ...axis("y", 3), size: 46, space: 26, values: numbers },
          ...(right ? [{ ...axis("r", 1), size: 46, space: 26, values: numbers }] : []),
        ],
        series: [
          {},
          ...latestLines.current.map((one) => ({
            label: one.label,
            scale: one.right ? "r" : "y",
            stroke: one.colour,
            width: one.right ? 1 : 1.5,
            dash: one.dashed ? [4, 3] : undefined,
            spanGaps: true,
            points: { show: false },
          })),
        ],
        hooks: {
          draw: [(u: uPlot) => markStep(u, stepNow(run.store.getState()), colour("--accent"))],
        },
      },
      latest.current as uPlot.AlignedData,
      element,
    );
    chart.current = made;
    const go = () => {
      const { left: x } = made.cursor;
      if (x === undefined || x < 0) return;
      run.play(false);
      run.toStep(Math.round(made.posToVal(x, "x")));
    };
    made.over.addEventListener("click", go);
    const watch = new ResizeObserver(() =>
      made.setSize({
        width: Math.max(80, element.clientWidth),
        height: Math.max(60, element.clientHeight),
      }),
    );
    watch.observe(element);
    const end = run.store.subscribe((now, before) => {
      if (now.step !== before.step || now.matrix !== before.matrix) made.redraw(false);
    });
    return () => {
      end();
      watch.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [run, kind]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are why
  useEffect(() => {
    chart.current?.setData(latest.current as uPlot.AlignedData);
  }, [lines]);

  return <div ref={place} className="vz-chart" role="img" aria-label={label} />;
}

function numbers(_: uPlot, splits: readonly number[]): string[] {
  return splits.map((value) => (value === null ? "" : spellNumber(value)));
}

function markStep(u: uPlot, step: number | null, colour: string): void {
  if (step === null) return;
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const x = Math.round(u.valToPos(step, "x", true));
  if (!(x >= left && x <= left + width)) return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([]);
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.restore();
}
