/** What the keyboard does; the same table feeds the help. */

import type { Item } from "../graph/network";
import { childrenOf, isScope, repeatOf, runFirst } from "../view/opening";
import { COLOURS, DIMENSIONS } from "../view/state";
import { around, shownDepth } from "../view/store";
import type { Bench } from "./bench";
import { copy } from "./section";
import { nearest, type Way } from "./step";
import { ownsHistory } from "./trail";

/** One thing that keys do. */
export interface Binding {
  readonly keys: readonly string[];
  readonly does: string;
  readonly group: "Move" | "Open" | "Follow" | "Show";
  readonly run: (bench: Bench) => void;
}

const THEMES = ["auto", "light", "dark"] as const;
const PAN = 120;

/** All keys, in the order of the help. */
export const BINDINGS: readonly Binding[] = [
  { keys: ["ArrowUp"], does: "select the box above", group: "Move", run: step("up") },
  { keys: ["ArrowDown"], does: "select the box below", group: "Move", run: step("down") },
  { keys: ["ArrowLeft"], does: "select the box to the left", group: "Move", run: step("left") },
  { keys: ["ArrowRight"], does: "select the box to the right", group: "Move", run: step("right") },
  { keys: ["Shift+ArrowUp"], does: "select the module around", group: "Move", run: goOut },
  { keys: ["Shift+ArrowDown"], does: "select the first inside", group: "Move", run: goIn },
  {
    keys: ["f"],
    does: "bring the selection to the middle",
    group: "Move",
    run: withSelected((b, item) => b.viewer?.focus(item)),
  },
  { keys: ["0"], does: "show everything", group: "Move", run: (b) => b.viewer?.fit() },
  { keys: ["1"], does: "show at full size", group: "Move", run: (b) => b.viewer?.zoomTo(1) },
  { keys: ["+", "="], does: "zoom in", group: "Move", run: (b) => b.viewer?.zoomBy(1.3) },
  { keys: ["-"], does: "zoom out", group: "Move", run: (b) => b.viewer?.zoomBy(1 / 1.3) },
  {
    keys: ["Ctrl+ArrowUp"],
    does: "move the view up",
    group: "Move",
    run: (b) => b.viewer?.panBy(0, -PAN),
  },
  {
    keys: ["Ctrl+ArrowDown"],
    does: "move the view down",
    group: "Move",
    run: (b) => b.viewer?.panBy(0, PAN),
  },
  {
    keys: ["Ctrl+ArrowLeft"],
    does: "move the view left",
    group: "Move",
    run: (b) => b.viewer?.panBy(-PAN, 0),
  },
  {
    keys: ["Ctrl+ArrowRight"],
    does: "move the view right",
    group: "Move",
    run: (b) => b.viewer?.panBy(PAN, 0),
  },

  {
    keys: ["Enter", " "],
    does: "open or close the selection",
    group: "Open",
    run: withSelected(enter),
  },
  {
    keys: ["k"],
    does: "open or close all of the same class",
    group: "Open",
    run: withSelected((b, item) => b.view.actions.openKind(item)),
  },
  {
    keys: ["r"],
    does: "show repeats one by one, or fold them",
    group: "Open",
    run: withSelected(unfold),
  },
  {
    keys: ["Shift+R"],
    does: "the same for all repeats",
    group: "Open",
    run: (b) => b.view.actions.unfoldAll(b.view.store.getState().unfolded.size === 0),
  },
  {
    keys: ["."],
    does: "open one level more",
    group: "Open",
    run: (b) => b.view.actions.openToDepth(shownDepth(b.view) + 1),
  },
  {
    keys: [","],
    does: "open one level less",
    group: "Open",
    run: (b) => b.view.actions.openToDepth(shownDepth(b.view) - 1),
  },
  { keys: ["e"], does: "open everything", group: "Open", run: (b) => b.view.actions.openAll() },
  { keys: ["c"], does: "close everything", group: "Open", run: (b) => b.view.actions.closeAll() },

  { keys: ["/"], does: "search", group: "Follow", run: (b) => b.focusSearch() },
  {
    keys: ["u"],
    does: "light what leads here",
    group: "Follow",
    run: withSelected((b, item) => b.view.actions.trace("upstream", item)),
  },
  {
    keys: ["d"],
    does: "light what follows",
    group: "Follow",
    run: withSelected((b, item) => b.view.actions.trace("downstream", item)),
  },
  {
    keys: ["b"],
    does: "light both",
    group: "Follow",
    run: withSelected((b, item) => b.view.actions.trace("both", item)),
  },
  {
    keys: ["p"],
    does: "shortest path from here: then select where to",
    group: "Follow",
    run: withSelected((b, item) => b.view.actions.path(item)),
  },
  {
    keys: ["Escape"],
    does: "light everything again, then select nothing",
    group: "Follow",
    run: (b) => b.view.actions.clear(),
  },
  {
    keys: ["[", "Alt+ArrowLeft"],
    does: "back",
    group: "Follow",
    run: (b) => b.travel(-1),
  },
  {
    keys: ["]", "Alt+ArrowRight"],
    does: "forward",
    group: "Follow",
    run: (b) => b.travel(1),
  },
  { keys: ["y"], does: "copy the id of the selection", group: "Follow", run: withSelected(copyId) },

  {
    keys: ["o"],
    does: "outline on or off",
    group: "Show",
    run: (b) => b.prefs.set({ outline: !b.prefs.store.getState().outline }),
  },
  {
    keys: ["i"],
    does: "details on or off",
    group: "Show",
    run: (b) => b.prefs.set({ panel: !b.prefs.store.getState().panel }),
  },
  {
    keys: ["m"],
    does: "minimap on or off",
    group: "Show",
    run: (b) => b.prefs.set({ minimap: !b.prefs.store.getState().minimap }),
  },
  {
    keys: ["l"],
    does: "colour by the next quantity",
    group: "Show",
    run: (b) => b.view.actions.colour(after(COLOURS, b.view.store.getState().colourBy)),
  },
  {
    keys: ["3"],
    does: "flat, by nesting, by tensor size",
    group: "Show",
    run: (b) => b.view.actions.dimension(after(DIMENSIONS, b.view.store.getState().dimension)),
  },
  {
    keys: ["t"],
    does: "theme: as the system, light, dark",
    group: "Show",
    run: (b) => b.prefs.set({ theme: after(THEMES, b.prefs.store.getState().theme) }),
  },
  {
    keys: ["x"],
    does: "play a run, or pause it",
    group: "Show",
    run: ({ run }) => run?.play(!run.store.getState().playing),
  },
  {
    keys: ["Shift+ArrowLeft"],
    does: "a run one record earlier",
    group: "Show",
    run: ({ run }) => run?.move(-1),
  },
  {
    keys: ["Shift+ArrowRight"],
    does: "a run one record later",
    group: "Show",
    run: ({ run }) => run?.move(1),
  },
  { keys: ["?"], does: "this list", group: "Show", run: (b) => b.openHelp() },
];

const BY_KEY = new Map(
  BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)),
);

/** Runs what a key is bound to; false if it is bound to nothing, or meant for a field. */
export function press(bench: Bench, event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing || event.metaKey) return false;
  const target = event.target as HTMLElement | null;
  if (target?.closest?.("input,textarea,select,[contenteditable],dialog,[role=menu]")) return false;
  const onButton = target?.closest?.("button,a[href],summary,[role=separator]");
  if (
    onButton &&
    ["Enter", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(event.key)
  )
    return false;
  const binding = BY_KEY.get(spelled(event));
  if (!binding) return false;
  // The browser's own keys for back and forward do what ours would, and lead out of the page.
  if (event.altKey && bench.wholePage && ownsHistory()) return false;
  event.preventDefault();
  binding.run(bench);
  return true;
}

function spelled(event: KeyboardEvent): string {
  const letter = event.key.length === 1;
  const parts: string[] = [];
  if (event.ctrlKey) parts.push("Ctrl");
  if (event.altKey && !letter) parts.push("Alt");
  if (event.shiftKey && (!letter || /^\p{L}$/u.test(event.key))) parts.push("Shift");
  return [...parts, event.shiftKey ? event.key : lower(event.key)].join("+");
}

function step(way: Way) {
  return (bench: Bench) => {
    const { viewer, view } = bench;
    const picture = viewer?.picture();
    if (!viewer || !picture) return;
    const { selected } = view.store.getState();
    const to = nearest(
      picture,
      selected === null ? null : viewer.shown(selected),
      way,
      viewer.camera(),
    );
    if (to === null) return;
    view.actions.walk(to);
    viewer.keepInSight(to);
  };
}

function goOut({ view, viewer }: Bench): void {
  const { selected } = view.store.getState();
  const outer = selected === null ? null : around(view, viewer?.shown(selected) ?? selected);
  if (outer === null) return;
  view.actions.walk(outer);
  viewer?.keepInSight(outer);
}

function goIn({ view, viewer, network }: Bench): void {
  const { selected } = view.store.getState();
  if (selected === null || !isScope(network, selected)) return;
  const first = childrenOf(network, selected)[0];
  if (first === undefined) return;
  view.actions.setOpen(selected, true);
  view.actions.walk(first);
  viewer?.keepInSight(first);
}

function unfold({ view, network }: Bench, item: Item): void {
  for (let at = item; at >= 0; at = network.parent[at]) {
    if (repeatOf(network, runFirst(network, at)) > 1) {
      view.actions.unfold(at);
      return;
    }
  }
}

function copyId({ view, network }: Bench, item: Item): void {
  const id = network.ids[item];
  copy(id).then((done) => view.actions.say(done ? "Id copied" : "Copying was refused"));
}

/** Opens or closes; while the end of a path is looked for, the selection is that end. */
function enter({ view }: Bench, item: Item): void {
  const { pathFrom } = view.store.getState();
  if (pathFrom !== null && pathFrom !== item) view.actions.path(pathFrom, item);
  else view.actions.toggle(item);
}

function withSelected(act: (bench: Bench, item: Item) => void) {
  return (bench: Bench) => {
    const { selected, hovered } = bench.view.store.getState();
    const item = selected ?? hovered;
    if (item !== null) act(bench, item);
  };
}

function after<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length];
}

/** With caps lock on, keys do what they do without. */
function lower(key: string): string {
  return key.length === 1 ? key.toLowerCase() : key;
}
