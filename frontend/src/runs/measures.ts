/** What boxes can be coloured by in a run: a statistic of a quantity. */

import type { RunAbout } from "./answers";

/** How values of several subjects become one: that of the module around them. */
export type Combine = "norm" | "sum" | "mean" | "rms";

/** A statistic of a quantity, and how it is shown. */
export interface Measure {
  readonly id: string;
  readonly title: string;
  readonly quantity: string;
  readonly statistic: string;
  readonly of: "parameters" | "modules";
  /** A logarithm, or a share from 0 to 1. */
  readonly scale: "log" | "share";
  readonly combine: Combine;
}

/** All measures, in the order of the choice. */
export const MEASURES: readonly Measure[] = [
  parameter("gradient-norm", "Gradient: norm", "gradient", "norm", "log", "norm"),
  parameter("gradient-rms", "Gradient: size per weight", "gradient", "rms", "log", "rms"),
  parameter("ratio", "Update ÷ weight", "update", "ratio", "log", "mean"),
  parameter("weight-norm", "Weight: norm", "weight", "norm", "log", "norm"),
  parameter("weight-rms", "Weight: size per weight", "weight", "rms", "log", "rms"),
  parameter(
    "gradient-zeros",
    "Gradient: share of zeros",
    "gradient",
    "zero_share",
    "share",
    "mean",
  ),
  parameter("weight-zeros", "Weight: share of zeros", "weight", "zero_share", "share", "mean"),
  parameter("nonfinite", "Gradient: not finite", "gradient", "nonfinite", "log", "sum"),
  activation("dead", "Activations: dead units", "dead", "share", "mean"),
  activation("activation-rms", "Activations: size", "rms", "log", "rms"),
  activation("activation-std", "Activations: spread", "std", "log", "rms"),
  activation("activation-zeros", "Activations: share of zeros", "zero_share", "share", "mean"),
];

/** The measures that a run has records for. */
export function measuresOf(about: RunAbout): Measure[] {
  const recorded = {
    parameters: new Set(about.parameters.flatMap(({ quantities }) => quantities)),
    modules: new Set(about.modules.flatMap(({ quantities }) => quantities)),
  };
  return MEASURES.filter(({ of, quantity, statistic }) => {
    if (statistic === "ratio") {
      return recorded.parameters.has("update") && recorded.parameters.has("weight");
    }
    if (statistic === "dead" && recorded.modules.has("activity")) return true;
    return recorded[of].has(quantity);
  });
}

/** Spells a value as the legend and tooltips do: `3.2e-7`, `12 %`. */
export function spell(measure: Measure, value: number): string {
  if (Number.isNaN(value)) return "not recorded";
  if (!Number.isFinite(value)) return "not finite";
  if (measure.scale === "share") return `${Number((value * 100).toPrecision(3))} %`;
  return spellNumber(value);
}

/** Spells any number in three digits. */
export function spellNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e5)) return String(Number(value.toPrecision(3)));
  return value.toExponential(1).replace("e+", "e");
}

function parameter(
  id: string,
  title: string,
  quantity: string,
  statistic: string,
  scale: Measure["scale"],
  combine: Combine,
): Measure {
  return { id, title, quantity, statistic, of: "parameters", scale, combine };
}

function activation(
  id: string,
  title: string,
  statistic: string,
  scale: Measure["scale"],
  combine: Combine,
): Measure {
  return { id, title, quantity: "activation", statistic, of: "modules", scale, combine };
}
