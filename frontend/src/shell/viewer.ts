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

const MARGIN = 36;
/** With fewer boxes a picture says too little to be worth that all of it is seen. */
const FEWEST = 7;
/** Below this zoom names cannot be read: what is too tall starts at its top instead. */
const READABLE = 0.55;
const CLOSEST = 1.25;

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
      else frame(false);
    }
    const { flight } = store.getState();
    if (pending !== null || (first && flight !== null && !start.camera)) fly(pending ?? flight);
    else if (shrinks) comeIntoSight(made);
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
    if (readable(made) || depthOf(network, open) < 2) return false;
    const less = toDepth(network, depthOf(network, open) - 1);
    if (countVisible(network, { open: less, unfolded }, FEWEST) < FEWEST) return false;
    store.setState({ open: less });
    return true;
  }

  function readable({ width, height }: Picture): boolean {
    const across = (container.clientWidth - 2 * MARGIN) / Math.max(1, width);
    const down = (container.clientHeight - 2 * MARGIN) / Math.max(1, height);
    return container.clientWidth === 0 || Math.min(across, down) >= READABLE;
  }

  /** The whole picture if that can be read; else its top, as wide as it can be read. */
  function frame(animate: boolean): void {
    if (!picture) return;
    const { width, height } = container.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    const across = (width - 2 * MARGIN) / Math.max(1, picture.width);
    const down = (height - 2 * MARGIN) / Math.max(1, picture.height);
    const whole = Math.min(across, down, CLOSEST);
    if (whole >= READABLE) {
      stage.setCamera({ x: picture.width / 2, y: picture.height / 2, zoom: whole }, { animate });
      return;
    }
    const zoom = Math.min(0.9, Math.max(across, READABLE));
    const top = height / 2 / zoom - MARGIN / zoom;
    const left = width / 2 / zoom - MARGIN / zoom;
    const wide = picture.width * zoom > width;
    const { x: startX } = topOf(picture);
    const x = wide ? Math.max(left, Math.min(startX, picture.width - left)) : picture.width / 2;
    const tall = picture.height * zoom > height - 2 * MARGIN;
    stage.setCamera({ x, y: tall ? top : picture.height / 2, zoom }, { animate });
  }

  function focus(item: Item): void {
    const box = boxOf(shown(item));
    if (!picture || box < 0) return;
    const { boxes } = picture;
    const { width, height } = container.getBoundingClientRect();
    const across = (width - 4 * MARGIN) / boxes.width[box];
    const down = (height - 4 * MARGIN) / boxes.height[box];
    const most = Math.min(across, down);
    const now = stage.camera().zoom;
    const zoom = Math.min(most, Math.min(CLOSEST, Math.max(now, 0.8)));
    const tall = boxes.open[box] === 1 && most < READABLE;
    const x = boxes.x[box] + boxes.width[box] / 2;
    const y = boxes.y[box] + boxes.height[box] / 2;
    if (!tall) stage.setCamera({ x, y, zoom }, { animate: !prefersStill() });
    else {
      const near = Math.min(1, Math.max(across, READABLE));
      const top = boxes.y[box] + (height / 2 - MARGIN) / near;
      stage.setCamera(
        { x, y: Math.min(y, top) === y ? y : top, zoom: near },
        { animate: !prefersStill() },
      );
    }
  }

  function keepInSight(item: Item): void {
    const rect = stage.rectOf(shown(item));
    if (!rect) return;
    const view = container.getBoundingClientRect();
    const beyond = (low: number, high: number, from: number, to: number) =>
      low < from + MARGIN
        ? low - from - 2 * MARGIN
        : high > to - MARGIN
          ? high - to + 2 * MARGIN
          : 0;
    const x = beyond(rect.left, rect.right, view.left, view.right);
    const y = beyond(rect.top, rect.bottom, view.top, view.bottom);
    if (x !== 0 || y !== 0) panBy(x, y);
  }

  /** Moves what has become small enough to be seen whole into sight, where it is not. */
  function comeIntoSight(made: Picture): void {
    if (store.getState().dimension !== "2d") return;
    const { x, y, zoom } = stage.camera();
    const within = (at: number, size: number, view: number) => {
      const reach = (view / 2 - MARGIN) / zoom;
      return size <= 2 * reach ? Math.min(Math.max(at, size - reach), reach) : at;
    };
    const camera = {
      x: within(x, made.width, container.clientWidth),
      y: within(y, made.height, container.clientHeight),
      zoom,
    };
    if (camera.x !== x || camera.y !== y) stage.setCamera(camera, { animate: !prefersStill() });
  }

  /** Whether all of a box can be seen, and be read. */
  function inSight(item: Item): boolean {
    const rect = stage.rectOf(shown(item));
    const frame = container.getBoundingClientRect();
    return (
      rect !== null &&
      stage.camera().zoom >= READABLE &&
      store.getState().dimension === "2d" &&
      rect.left >= frame.left &&
      rect.right <= frame.right &&
      rect.top >= frame.top &&
      rect.bottom <= frame.bottom
    );
  }

  function panBy(x: number, y: number): void {
    const camera = stage.camera();
    stage.setCamera(
      { ...camera, x: camera.x + x / camera.zoom, y: camera.y + y / camera.zoom },
      { animate: !prefersStill() },
    );
  }

  function zoomTo(zoom: number): void {
    stage.setCamera({ ...stage.camera(), zoom }, { animate: !prefersStill() });
  }

  function boxOf(item: Item): number {
    const box = picture ? picture.boxOf[item] : -1;
    return box >= 0 && picture?.boxes.item[box] === item ? box : -1;
  }

  function fly(flight: State["flight"]): void {
    if (!flight) return;
    if (flight.camera) stage.setCamera(flight.camera, { animate: !prefersStill() });
    else if (flight.items === null) frame(!prefersStill());
    else if (flight.items.length === 1) {
      if (!inSight(flight.items[0])) focus(flight.items[0]);
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

  actions.lookFrom(() => (store.getState().dimension === "2d" ? stage.camera() : null));
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
    focus,
    keepInSight,
    fit: () => stage.fit(null, { animate: !prefersStill() }),
    zoomTo,
    zoomBy: (factor) => zoomTo(stage.camera().zoom * factor),
    panBy,
    wireLabel,
    onPicture: on(listeners.picture),
    onCamera: on(listeners.camera),
    onLooks: on(listeners.looks),
    caption: texts,
    size: () => ({ width: container.clientWidth, height: container.clientHeight }),
    flat: () => store.getState().dimension === "2d",
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

/** The middle of the first box, where reading starts. */
function topOf({ boxes, width }: Picture): { x: number } {
  for (let box = 0; box < boxes.item.length; box += 1) {
    if (boxes.open[box] === 0) return { x: boxes.x[box] + boxes.width[box] / 2 };
  }
  return { x: width / 2 };
}

function isOvertaken(error: unknown): boolean {
  return error instanceof Error && error.name === "Overtaken";
}
