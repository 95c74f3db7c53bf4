/** Two networks and what networkx says of them, made by ground_truth.py. */

import { readFileSync } from "node:fs";
import type { Wire } from "../src/wire";

interface Truth {
  ancestors: Record<string, string[]>;
  descendants: Record<string, string[]>;
  distances: Record<string, Record<string, number>>;
  inside: Record<string, string[]>;
  parameters: Record<string, number>;
  parents: Record<string, string | null>;
  entering: Record<string, string[]>;
  shared: Record<string, string[]>;
  repeats: Record<string, number>;
}

interface GroundTruth {
  wire: Wire;
  truth: [Truth, Truth];
}

/** Reads the file anew, so that no test sees what another has changed. */
export function groundTruth(): GroundTruth {
  return JSON.parse(readFileSync(new URL("./ground_truth.json", import.meta.url), "utf8"));
}
