/** What the hand does on a canvas, as moves of the camera and as events of the stage. */

import type { Item } from "../graph/network";
import { farthest, kept, type Point, type Screen, zoomedAt } from "./camera";
import type { Sight } from "./eyes";
import { listen } from "./gestures";
import { under } from "./orbit";
import type { Camera, StageEvents } from "./stage";

/** What the hand finds on the canvas, and moves. */
export interface Grip {
  readonly sight: () => Sight;
  /** Size of the picture. */
  readonly size: () => Screen;
  readonly item: (at: Point) => Item | null;
  readonly sign: (at: Point) => Item | null;
  readonly move: (camera: Camera) => void;
  readonly turn: (dx: number, dy: number) => void;
  /** Counts the time that a handler takes. */
  readonly timed: (handler: () => void) => void;
}

/** Listens on a canvas; returns what stops it. */
export function handle(element: HTMLElement, grip: Grip, events: StageEvents): () => void {
  let hovered: Item | null = null;

  const move = (camera: Camera) => {
    const { width, height } = grip.size();
    grip.move(kept(camera, grip.sight().screen, width, height));
  };

  const drag = (from: Point, to: Point) => {
    const { camera, screen, orbit } = grip.sight();
    const a = under(camera, screen, orbit, from, 0);
    const b = under(camera, screen, orbit, to, 0);
    if (a === null || b === null) return;
    move({ x: camera.x + a.x - b.x, y: camera.y + a.y - b.y, zoom: camera.zoom });
  };

  const zoom = (at: Point, factor: number) => {
    const { camera, screen, orbit } = grip.sight();
    const { width, height } = grip.size();
    const flat = zoomedAt(camera, screen, at, factor, farthest(width, height, screen));
    if (orbit.amount === 0) {
      move(flat);
      return;
    }
    const closer = { ...camera, zoom: flat.zoom };
    const before = under(camera, screen, orbit, at, 0);
    const after = under(closer, screen, orbit, at, 0);
    if (before === null || after === null) move(closer);
    else move({ ...closer, x: camera.x + before.x - after.x, y: camera.y + before.y - after.y });
  };

  return listen(element, {
    // In 3D one turns; the picture is moved with the other button or a key.
    drag: (from, to, other) =>
      grip.timed(() => {
        if (other || grip.sight().orbit.amount === 0) drag(from, to);
        else grip.turn(to.x - from.x, to.y - from.y);
      }),
    zoom: (at, factor) => grip.timed(() => zoom(at, factor)),
    hover: (at, event) =>
      grip.timed(() => {
        const item = at === null ? null : (grip.sign(at) ?? grip.item(at));
        element.style.cursor = item === null ? "" : "pointer";
        if (item === hovered) return;
        hovered = item;
        events.onHover(item, event.clientX, event.clientY);
      }),
    click: (at, event) => {
      const sign = grip.sign(at);
      if (sign !== null) events.onToggle(sign);
      else events.onPick(grip.item(at), event);
    },
    doubleClick: (at) => {
      const item = grip.item(at);
      if (item !== null && grip.sign(at) === null) events.onToggle(item);
    },
  });
}
