/** The numbers written along a legend. */

/** A number on a legend. */
export interface LegendTick {
  /** From 0 at the low end to 1 at the high end. */
  readonly place: number;
  readonly text: string;
}

const GAP = 6;

/** Those whose texts do not run into each other, on a legend so many pixels wide. */
export function spaced(
  ticks: readonly LegendTick[],
  width: number,
  widthOf: (text: string) => number,
): LegendTick[] {
  const kept: LegendTick[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const tick of ticks) {
    const half = widthOf(tick.text) / 2;
    if (tick.place * width - half < end) continue;
    kept.push(tick);
    end = tick.place * width + half + GAP;
  }
  return kept;
}
