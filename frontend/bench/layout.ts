/**
 * Times the layout of networks: the first view, each scope opened on its own on top of it, and
 * everything open.
 *
 * `npx rolldown bench/layout.ts --platform node -o /tmp/layout.mjs`, then
 * `node /tmp/layout.mjs NETWORK.json.gz ...`.
 */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Network } from "../src/graph/network";
import { outline } from "../src/graph/outline";
import { readWire } from "../src/graph/read";
import { layOut } from "../src/layout/layout";
import { emptyMemo } from "../src/layout/memo";
import { survey } from "../src/layout/survey";

/** Scopes that are opened one by one at most. */
const MOST = 200;

console.log("| network | nodes | survey | first view | opening one: median | worst | all |");
console.log("|---|---|---|---|---|---|---|");
for (const file of process.argv.slice(2)) {
  const document = readWire(JSON.parse(gunzipSync(readFileSync(file)).toString()));
  console.log(row(file.replace(/.*\/|\.json\.gz/g, ""), document.networks[0]));
}

function row(name: string, network: Network): string {
  const timed = <T>(work: () => T): [T, number] => {
    const start = performance.now();
    const result = work();
    return [result, performance.now() - start];
  };
  const [known, surveyed] = timed(() => survey(outline(network)));
  const memo = emptyMemo();
  const at = (open: ReadonlySet<number>) =>
    timed(() => layOut(known, { open, unfolded: new Set(), aspect: 1.6 }, memo))[1];
  const first = at(new Set([network.root]));
  const scopes = Array.from({ length: network.scopes - 1 }, (_, index) => network.root + 1 + index);
  const step = Math.max(1, Math.floor(scopes.length / MOST));
  const times: number[] = [];
  for (let index = 0; index < scopes.length; index += step) {
    const open = new Set<number>();
    for (let item = scopes[index]; item >= 0; item = network.parent[item]) open.add(item);
    const inside = scopes[index];
    open.delete(inside);
    at(open);
    open.add(inside);
    times.push(at(open));
  }
  times.sort((a, b) => a - b);
  const all = at(new Set([network.root, ...scopes]));
  const ms = (time: number | undefined) => (time === undefined ? "–" : `${time.toFixed(time < 10 ? 1 : 0)} ms`);
  const cells = [surveyed, first, times[times.length >> 1], times[times.length - 1], all].map(ms);
  return `| ${[name, String(network.nodes), ...cells].join(" | ")} |`;
}
