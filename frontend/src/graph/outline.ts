/** What layout is given of a network: flat arrays that can be posted to a worker. */

import type { Outline } from "../layout/picture";
import { boxSizes } from "./caption";
import type { Network } from "./network";

/** Gives the outline of a network; its arrays are the network's own where they can be. */
export function outline(network: Network): Outline {
  const { nodes, scopes, parent, children, repeat, edges, specs } = network;
  return {
    nodes,
    scopes,
    parent,
    children,
    repeat,
    edges,
    specBytes: Float64Array.from(specs, (spec) => spec.bytes),
    ...boxSizes(network),
  };
}
