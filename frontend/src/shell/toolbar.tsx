/** The bar on top: history, depth, colours, dimensions, export, theme and help. */

import { useEffect, useRef } from "react";
import { deepest, depthOf } from "../view/opening";
import { COLOURS, type ColourBy, type Theme } from "../view/state";
import { useBench, usePrefs, useView } from "./bench";
import { ExportMenu } from "./export_menu";
import { Icon, type IconName } from "./icons";
import { Networks } from "./networks";
import { oneStop, rove } from "./roving";
import { useCovered } from "./run_context";
import { leadsBack } from "./trail";

const COLOUR_NAMES: Readonly<Record<ColourBy, string>> = {
  category: "Kind of op",
  parameters: "Parameters",
  flops: "Work (FLOPs)",
  activation_bytes: "Activations",
  calls: "Calls",
  nodes: "Ops inside",
};
/** The choice of a run's own colours. */
const OF_RUN = "run";
const DIMENSIONS = [
  ["2d", "2D", "Flat"],
  ["nesting", "Nested", "In 3D: a storey for each level of nesting"],
  ["volume", "Volume", "In 3D: as high as the tensor is large"],
] as const;
const THEMES: Readonly<Record<Theme, readonly [IconName, string, Theme]>> = {
  auto: ["auto", "Theme: as the system", "light"],
  light: ["sun", "Theme: light", "dark"],
  dark: ["moon", "Theme: dark", "auto"],
};

/** Shows the bar. */
export function Toolbar() {
  const { view, network, openHelp, prefs, comparison, run, wholePage, travel } = useBench();
  const covered = useCovered();
  const { actions } = view;
  const bar = useRef<HTMLDivElement>(null);
  const open = useView((state) => state.open);
  const canBack = useView((state) => state.past.length > 0 || leadsBack(wholePage));
  const canForward = useView((state) => state.future.length > 0);
  const colourBy = useView((state) => state.colourBy);
  const dimension = useView((state) => state.dimension);
  const theme = usePrefs((one) => one.theme);
  const compare = useView((state) => state.compare);
  const outline = usePrefs((one) => one.outline);
  const panel = usePrefs((one) => one.panel);
  useEffect(() => oneStop(bar.current));
  const depth = depthOf(network, open);
  const most = deepest(network);
  const [icon, themeTitle, nextTheme] = THEMES[theme];
  return (
    <div
      ref={bar}
      className="vz-toolbar"
      role="toolbar"
      aria-label="Viewer"
      onKeyDown={(event) => rove(event, "x")}
    >
      <Tool
        icon="outline"
        title="Outline (O)"
        pressed={outline}
        act={() => prefs.set({ outline: !outline })}
      />
      <Networks />
      <div className="vz-group">
        <Tool icon="back" title="Back ([)" disabled={!canBack} act={() => travel(-1)} />
        <Tool icon="forward" title="Forward (])" disabled={!canForward} act={() => travel(1)} />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a toolbar */}
      <div className="vz-group" role="group" aria-label="Depth">
        <Tool
          icon="minus"
          title="One level less (,)"
          disabled={depth <= 1}
          act={() => actions.openToDepth(depth - 1)}
        />
        <output className="vz-depth" title={`Open to depth ${depth} of ${most}`}>
          {depth}
          <small>/{most}</small>
        </output>
        <Tool
          icon="plus"
          title="One level more (.)"
          disabled={depth >= most}
          act={() => actions.openToDepth(depth + 1)}
        />
        <Tool
          icon="expandAll"
          wide
          title="Open everything (E)"
          disabled={depth >= most}
          act={actions.openAll}
        />
        <Tool
          icon="collapseAll"
          wide
          title="Close everything (C)"
          disabled={open.size <= 1}
          act={actions.closeAll}
        />
      </div>
      <span className="vz-space" />
      {comparison ? (
        <Segments
          label="Compare"
          choices={[
            ["merged", "Merged", "Both in one picture, what differs is marked"],
            ["side-by-side", "Side by side", "Two pictures that move in step"],
          ]}
          value={compare}
          choose={actions.compare}
        />
      ) : null}
      <label className="vz-colour">
        <span>Colour</span>
        <select
          className="vz-select"
          aria-label="Colour"
          value={covered ? OF_RUN : colourBy}
          onChange={({ target: { value } }) => {
            run?.colour(value === OF_RUN);
            if (value !== OF_RUN) actions.colour(value as ColourBy);
          }}
        >
          {run ? <option value={OF_RUN}>As the run says</option> : null}
          {COLOURS.map((name) => (
            <option key={name} value={name}>
              {COLOUR_NAMES[name]}
            </option>
          ))}
        </select>
      </label>
      <Segments
        label="Dimensions"
        choices={DIMENSIONS}
        value={dimension}
        choose={actions.dimension}
      />
      <ExportMenu />
      <Tool icon={icon} title={`${themeTitle} (T)`} act={() => prefs.set({ theme: nextTheme })} />
      <Tool icon="help" title="Keys (?)" act={openHelp} />
      <Tool
        icon="panel"
        title="Details (I)"
        pressed={panel}
        act={() => prefs.set({ panel: !panel })}
      />
    </div>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly title: string;
  readonly act: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  /** Whether it is left out where there is little room. */
  readonly wide?: boolean;
}

/** A button with an icon. */
export function Tool({ icon, title, act, disabled = false, pressed, wide }: ToolProps) {
  return (
    <button
      type="button"
      className={wide ? "vz-tool vz-wide" : "vz-tool"}
      title={title}
      aria-label={title}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

interface SegmentsProps<T extends string> {
  readonly label: string;
  readonly choices: readonly (readonly [T, string, string])[];
  readonly value: T;
  readonly choose: (value: T) => void;
}

/** A choice of a few things, all of them in sight. */
export function Segments<T extends string>({ label, choices, value, choose }: SegmentsProps<T>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a toolbar
    <div className="vz-segments" role="group" aria-label={label}>
      {choices.map(([name, text, title]) => (
        <button
          key={name}
          type="button"
          title={title}
          aria-pressed={name === value}
          onClick={() => choose(name)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
