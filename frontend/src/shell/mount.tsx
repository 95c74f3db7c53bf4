/** Puts viewers into pages. */

import { createRoot } from "react-dom/client";
import type { Theme } from "../view/state";
import { App } from "./app";
import { createPrefs } from "./prefs";
import type { Hints } from "./session";
import type { Source } from "./source";

/** How a viewer stands in its page. */
export interface MountOptions {
  readonly hints?: Hints;
  /** Whether it is all of the page: then it has the address, and keys work wherever one is. */
  readonly wholePage?: boolean;
}

/** Shows a source in an element; gives what changes the theme, and what takes it away again. */
export function mount(
  element: HTMLElement,
  source: Source,
  { hints = {}, wholePage = false }: MountOptions = {},
): { setTheme: (theme: string) => void; unmount: () => void } {
  const root = document.createElement("div");
  root.className = "visuai";
  if (wholePage) root.dataset.page = "";
  element.replaceChildren(root);
  const wide = root.getBoundingClientRect().width;
  const theme = asTheme(hints.theme);
  const prefs = createPrefs({
    ...(theme ? { theme } : {}),
    ...(wide > 0 && wide < 760
      ? { outline: false, panel: false, minimap: false, legend: false }
      : {}),
  });
  const react = createRoot(root);
  react.render(
    <App source={source} root={root} prefs={prefs} hints={hints} wholePage={wholePage} />,
  );
  return {
    setTheme: (next) => prefs.store.setState({ theme: asTheme(next) ?? "auto" }),
    unmount: () => {
      react.unmount();
      root.remove();
    },
  };
}

function asTheme(text: string | undefined): Theme | null {
  return text === "light" || text === "dark" || text === "auto" ? text : null;
}
