/** Files of what is on screen. */

import { useBench } from "./bench";
import { Icon } from "./icons";
import { withLegend } from "./legend_image";
import { DropDown } from "./menu";
import { drawingOf } from "./paper";
import { download, fileName, screenJson } from "./screen";
import { copy } from "./section";

/** A menu of the kinds of files. */
export function ExportMenu() {
  const { view, network, viewer, painter, root, wholePage } = useBench();
  const picture = () => viewer?.picture() ?? null;
  const png = async (whole: boolean) => {
    try {
      if (!viewer) return;
      const { colourBy } = view.store.getState();
      const blob = await viewer.stage.toPng({ whole, scale: 2 });
      const image = await withLegend(blob, painter.legend(colourBy, theme()), theme(), 2);
      download(image, fileName(network.name, "png"), "image/png");
    } catch (error) {
      view.actions.say(`No image could be made: ${(error as Error).message}`);
    }
  };
  const theme = () => (root.dataset.theme === "dark" ? "dark" : "light");
  const json = () => {
    const shown = picture();
    if (shown)
      download(screenJson(view, shown), fileName(network.name, "json"), "application/json");
  };
  const svg = () => {
    if (!viewer) return;
    const text = drawingOf(view, painter, viewer, theme());
    download(text, fileName(network.name, "svg"), "image/svg+xml");
  };
  const link = () =>
    copy(location.href).then((done) =>
      view.actions.say(done ? "Link copied" : "Copying was refused"),
    );
  const choices: readonly (readonly [string, () => void])[] = [
    ["PNG of the view", () => void png(false)],
    ["PNG of everything open", () => void png(true)],
    ["SVG of everything open", svg],
    ["JSON of what is on screen", json],
    ...(wholePage ? [["Copy a link to this view", () => void link()] as const] : []),
  ];
  return (
    <DropDown title="Export" label={<Icon name="download" />} end>
      {(close) =>
        choices.map(([text, act]) => (
          <button
            key={text}
            type="button"
            role="menuitem"
            tabIndex={-1}
            onClick={() => {
              close();
              act();
            }}
          >
            {text}
          </button>
        ))
      }
    </DropDown>
  );
}
