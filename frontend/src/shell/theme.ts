/** Colours of the canvas, and which theme the page around wants. */

import type { Colours } from "../scene/stage";
import type { Theme } from "../view/state";

/** The canvas on paper and in the dark; style.css has the same grounds and accents for the page. */
export const COLOURS: Readonly<Record<"light" | "dark", Colours>> = {
  light: {
    ground: 0xf6f5f1,
    text: 0x1b1f24,
    faint: 0x555d68,
    wire: 0x7b8591,
    scopes: [0xfdfdfb, 0xf1f1ed],
    scopeLine: 0xb8bec6,
    accent: 0x1d4fd8,
  },
  dark: {
    ground: 0x121519,
    text: 0xeef1f4,
    faint: 0xb3bbc5,
    wire: 0x76818d,
    scopes: [0x1a1e24, 0x22272e],
    scopeLine: 0x48525d,
    accent: 0x86acff,
  },
};

/** Light or dark: as chosen, as the notebook around says, or as the system prefers. */
export function resolveTheme(theme: Theme): "light" | "dark" {
  if (theme !== "auto") return theme;
  const { body } = document;
  const { jpThemeLight, vscodeThemeKind } = body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === "false" ? "dark" : "light";
  if (vscodeThemeKind !== undefined) return vscodeThemeKind.includes("light") ? "light" : "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Calls back when what `auto` stands for may have changed; gives what ends that. */
export function watchTheme(changed: () => void): () => void {
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", changed);
  const watch = new MutationObserver(changed);
  watch.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
  return () => {
    query.removeEventListener("change", changed);
    watch.disconnect();
  };
}

/** Whether the user wants things to stand still. */
export function prefersStill(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
