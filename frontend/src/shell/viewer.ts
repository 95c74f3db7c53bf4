/** The canvas of a view: asks for layouts, shows them, and paints what the state says. */

import { caption } from "../graph/caption";
import type { Item } from "../graph/network";
import { outline } from "../graph/outline";
import type { Picture } from "../layout/picture";
import { createLayout } from "../layout/service";
import { createStage } from "../scene/create";
import type { Camera, Caption, Paint, Stage } from "../scene/stage";
import { countVisible, depthOf, isScope, shownBy, toDepth } from "../view/opening";
import type { State } from "../view/state";
import type { View } from "../view/store";
import { litItems } from "./lit";
import type { Painter } from "./paint";
import { createSight } from "./sight";
import { prefersStill } from "./theme";

/** What the canvas tells the page. */
export interface ViewerEvents {
  readonly onMenu: (item: Item, clientX: number, clientY: number) => void;
  readonly onTrouble: (text: string) => void;
  readonly onPointer: (item: Item | null, clientX: number, clientY: number) => void;
}

/** A canvas that follows a view. */
export interface Viewer {
  readonly stage: Stage;
  readonly picture: () => Picture | null;
  readonly paint: () => Paint | null;
  readonly camera: () => Camera;
  /** The item that is drawn for an item that may be hidden. */
  readonly shown: (item: Item) => Item;
  readonly focus: (item: Item) => void;
  readonly keepInSight: (item: Item) => void;
  readonly fit: () => void;
  readonly zoomTo: (zoom: number) => void;
  readonly zoomBy: (factor: number) => void;
  readonly panBy: (x: number, y: number) => void;
  readonly wireLabel: (wire: number) => string;
  /** Calls back with each new picture, and when the camera moved; gives what ends that. */
  readonly onPicture: (listen: (picture: Picture) => void) => () => void;
  readonly onCamera: (listen: (camera: Camera) => void) => () => void;
  /** Calls back when boxes stand elsewhere or have other colours. */
  readonly onLooks: (listen: (paint: Paint) => void) => () => void;
  readonly caption: (item: Item) => Caption;
  /** Size of the canvas in pixels of the page. */
  readonly size: () => { width: number; height: number };
  /** Whether it is drawn without a third axis. */
  readonly flat: () => boolean;
  readonly onBusy: (listen: (busy: boolean) => void) => () => void;
  /** Paints again, after the painter got other colours. */
  readonly repaint: () => void;
  readonly setTheme: (theme: "light" | "dark") => void;
  readonly dispose: () => void;
}

/** How a canvas starts. */
export interface Start {
  /** Where the camera is; null to show as much as can be read. */
  readonly camera: Camera | null;
  /** Whether what is open is the viewer's own choice, which it may change until all is readable. */
  readonly fresh: boolean;
}

/** With fewer boxes a picture says too little to be worth that all of it is seen. */
const FEWEST = 7;
/** Puts a canvas into a container and keeps it in step with a view. */
export function createViewer(
  view: View,
  container: HTMLElement,
  painter: Painter,
  events: ViewerEvents,
  start: Start,
): Viewer {
  const { network, store, actions } = view;
  const layout = createLayout(outline(network));
  const listeners = {
    picture: new Set<(picture: Picture) => void>(),
    camera: new Set<(camera: Camera) => void>(),
    looks: new Set<(paint: Paint) => void>(),
    busy: new Set<(busy: boolean) => void>(),
  };
  let picture: Picture | null = null;
  let paint: Paint | null = null;
  let fill: Paint["fill"] | null = null;
  let pending: State["flight"] = null;
  let waiting = 0;
  let theme: "light" | "dark" = "light";
  let ended = false;

  const stage = createStage(container, {
    onHover: (item, x, y) => {
      actions.hover(item);
      events.onPointer(item, x, y);
    },
    onPick: (item, event) => {
      const { selected } = store.getState();
      if (event.shiftKey && item !== null && selected !== null && selected !== item) {
        actions.path(selected, item);
      } else actions.select(item === network.root ? null : item);
    },
    onToggle: (item) => actions.toggle(item),
    onCamera: (camera) => {
      for (const listen of listeners.camera) listen(camera);
    },
    onTrouble: events.onTrouble,
  });

  const flat = () => store.getState().dimension === "2d";
  const sight = createSight(stage, container, { picture: () => picture, shown, flat });

  const openMenu = (event: MouseEvent) => {
    event.preventDefault();
    const item = stage.pick(event.clientX, event.clientY);
    if (item === null || item === network.root) return;
    actions.select(item);
    events.onMenu(item, event.clientX, event.clientY);
  };
  container.addEventListener("contextmenu", openMenu);

  function texts(item: Item) {
    return { ...caption(network, item), scope: isScope(network, item) };
  }

  function wireLabel(wire: number): string {
    if (!picture) return "";
    const { edge, values } = picture.wires;
    const spec = network.specs[network.edges.spec[edge[wire]]];
    const more = values[wire] > 1 ? ` +${values[wire] - 1}` : "";
    return spec ? `${spec.text} ${spec.dtype}${more}` : "";
  }

  async function layOut(): Promise<void> {
    const { open, unfolded } = store.getState();
    waiting += 1;
    stage.element.setAttribute("aria-busy", "true");
    const late = setTimeout(() => tellBusy(true), 150);
    try {
      const made = await layout.layOut({ open, unfolded, aspect: aspect() });
      if (!ended) show(made);
    } catch (error) {
      if (!isOvertaken(error) && !ended) {
        actions.say(`This cannot be laid out: ${(error as Error).message}`);
        events.onTrouble(`This cannot be laid out: ${(error as Error).message}`);
      }
    } finally {
      clearTimeout(late);
      waiting -= 1;
      if (waiting === 0) {
        stage.element.removeAttribute("aria-busy");
        tellBusy(false);
      }
    }
  }

  function tellBusy(busy: boolean): void {
    for (const listen of listeners.busy) listen(busy);
  }

  function aspect(): number {
    const { width, height } = container.getBoundingClientRect();
    return Math.min(4, Math.max(0.4, (width || 4) / (height || 3)));
  }

  function show(made: Picture): void {
    const first = picture === null;
    if (first && start.fresh && goesUp(made)) return;
    const shrinks = picture !== null && made.height * made.width < picture.height * picture.width;
    picture = made;
    const { anchor } = store.getState();
    stage.show(made, texts, { animate: !first && !prefersStill(), anchor, wireLabel });
    repaint();
    if (first) {
      if (start.camera) stage.setCamera(start.camera, { animate: false });
      else sight.frame(false);
    }
    const { flight } = store.getState();
    if (pending !== null || (first && flight !== null && !start.camera)) fly(pending ?? flight);
    else if (shrinks) sight.comeIntoSight();
    pending = null;
    for (const listen of listeners.picture) listen(made);
  }

  function repaint(): void {
    if (!picture) return;
    const state = store.getState();
    paint = painter.paint(picture, state, theme, litItems(network, picture, state), shown);
    stage.paint(paint);
    if (paint.fill === fill) return;
    fill = paint.fill;
    for (const listen of listeners.looks) listen(paint);
  }

  function shown(item: Item): Item {
    return shownBy(network, store.getState(), item);
  }

  /** Opens one level less if so the whole can be seen; tells whether it did. */
  function goesUp(made: Picture): boolean {
    const { open, unfolded } = store.getState();
    if (sight.readable(made) || depthOf(network, open) < 2) return false;
    const less = toDepth(network, depthOf(network, open) - 1);
    if (countVisible(network, { open: less, unfolded }, FEWEST) < FEWEST) return false;
    store.setState({ open: less });
    return true;
  }

  function fly(flight: State["flight"]): void {
    if (!flight) return;
    if (flight.camera) stage.setCamera(flight.camera, { animate: !prefersStill() });
    else if (flight.items === null) sight.frame(!prefersStill());
    else if (flight.items.length === 1) {
      if (!sight.inSight(flight.items[0])) sight.focus(flight.items[0]);
    } else stage.fit(flight.items.map(shown), { animate: !prefersStill() });
  }

  const unsubscribe = store.subscribe((now, before) => {
    const relaid = now.open !== before.open || now.unfolded !== before.unfolded;
    if (relaid) {
      if (now.flight !== before.flight) pending = now.flight;
      layOut();
      return;
    }
    if (now.flight !== before.flight) {
      if (waiting > 0) pending = now.flight;
      else fly(now.flight);
    }
    if (now.dimension !== before.dimension) setDimension(now);
    const looks = ["selected", "hovered", "trace", "found", "colourBy"] as const;
    if (looks.some((name) => now[name] !== before[name])) repaint();
  });

  function setDimension({ dimension }: State): void {
    stage.setDimension(dimension, (box) => painter.height(picture as Picture, box, dimension));
  }

  // Who goes on before a picture is there leaves from where the camera was about to be.
  actions.lookFrom(() => (flat() ? (pending?.camera ?? stage.camera()) : null));
  layOut();
  if (store.getState().dimension !== "2d") setDimension(store.getState());

  const on =
    <T>(set: Set<(value: T) => void>) =>
    (listen: (value: T) => void) => {
      set.add(listen);
      return () => set.delete(listen);
    };
  return {
    stage,
    picture: () => picture,
    paint: () => paint,
    camera: stage.camera,
    shown,
    focus: sight.focus,
    keepInSight: sight.keepInSight,
    fit: () => stage.fit(null, { animate: !prefersStill() }),
    zoomTo: sight.zoomTo,
    zoomBy: (factor) => sight.zoomTo(stage.camera().zoom * factor),
    panBy: sight.panBy,
    wireLabel,
    onPicture: on(listeners.picture),
    onCamera: on(listeners.camera),
    onLooks: on(listeners.looks),
    caption: texts,
    size: () => ({ width: container.clientWidth, height: container.clientHeight }),
    flat,
    onBusy: on(listeners.busy),
    repaint,
    setTheme: (next) => {
      theme = next;
      repaint();
    },
    dispose: () => {
      ended = true;
      unsubscribe();
      container.removeEventListener("contextmenu", openMenu);
      layout.dispose();
      stage.dispose();
    },
  };
}

function isOvertaken(error: unknown): boolean {
  return error instanceof Error && error.name === "Overtaken";
}
