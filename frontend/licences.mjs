// Writes the licences of all that the bundle holds beside visuai/static; `npm run build` runs it.
// Taken from what is installed without the development dependencies, the worker's share too.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = import.meta.dirname;
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

/** The text of a package's licence, line ends and white space around it aside. */
function licence(folder, name) {
  const file = readdirSync(folder).find((each) => /^licen[cs]e(\.(md|txt))?$/i.test(each));
  if (!file) throw new Error(`${name} comes without a licence: may it be passed on?`);
  return readFileSync(join(folder, file), "utf8").replace(/\r\n/g, "\n").trim();
}

const held = new Map();
for (const [path, { version, dev, devOptional, optional }] of Object.entries(lock.packages).sort()) {
  const folder = join(root, path);
  if (!path.startsWith("node_modules/") || dev || devOptional || (optional && !existsSync(folder))) continue;
  const name = path.replace(/^.*node_modules\//, "");
  const text = licence(folder, name);
  held.set(text, [...(held.get(text) ?? []), `${name} ${version}`]);
}
const parts = [...held].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`);
const head = "The viewer contains the following, under the following licences.\n";
writeFileSync(
  join(root, "../visuai/viewer_licences.txt"),
  [head, ...parts].join(`\n${"-".repeat(80)}\n\n`),
);
