import { expect, test } from "vitest";
import { heldParameters } from "../src/graph/held";
import type { WireTopology } from "../src/wire";

const parameters = {
  fqn: ["used.weight", "unused.weight", "tied.weight", "norm.mean", "scale"],
  shape: { rows: [[2, 3], [4, 5], [2, 3], [7], []] },
  dtype: { all: "float32" },
  bytes: { all: 4 },
  requires_grad: { all: true },
  kind: { rows: ["parameter", "parameter", "parameter", "buffer", "parameter"] },
  alias_of: { rows: [null, null, "used.weight", null, null] },
};

test("parameters are held whether used or not, shared ones once, buffers never", () => {
  expect(heldParameters({ parameters } as WireTopology)).toBe(2 * 3 + 4 * 5 + 1);
});
