/** Mouse, trackpad and touch on the canvas, told as drags, zooms, clicks and moves. */

import type { Point } from "./camera";

/** What gestures mean; points are CSS pixels from the canvas's left top corner. */
export interface Handlers {
  /** `other` with shift, alt or the middle button, and with two fingers. */
  readonly drag: (from: Point, to: Point, other: boolean) => void;
  readonly zoom: (at: Point, factor: number) => void;
  readonly hover: (at: Point | null, event: PointerEvent) => void;
  readonly click: (at: Point, event: PointerEvent) => void;
  readonly doubleClick: (at: Point) => void;
}

/** Farther than this and a press is a drag, in pixels. */
const SLACK = 4;

/** Listens on an element; returns what stops it. */
export function listen(element: HTMLElement, handlers: Handlers): () => void {
  const pressed = new Map<number, Point>();
  let start: Point | null = null;
  let dragging = false;
  let other = false;

  const pointOf = (event: MouseEvent): Point => {
    const rect = element.getBoundingClientRect();
    return { x: event.clientX - rect.left, y: event.clientY - rect.top };
  };

  const onDown = (event: PointerEvent) => {
    if (event.button > 1) return;
    const at = pointOf(event);
    pressed.set(event.pointerId, at);
    if (pressed.size > 1) {
      dragging = true;
      return;
    }
    start = at;
    dragging = false;
    other = event.button === 1 || event.altKey || event.shiftKey;
  };

  const onMove = (event: PointerEvent) => {
    const at = pointOf(event);
    const before = pressed.get(event.pointerId);
    if (before === undefined) {
      handlers.hover(at, event);
      return;
    }
    if (pressed.size === 2) {
      const rest = [...pressed].find(([id]) => id !== event.pointerId)?.[1] ?? at;
      const was = Math.hypot(before.x - rest.x, before.y - rest.y);
      const is = Math.hypot(at.x - rest.x, at.y - rest.y);
      const middle = (point: Point) => ({ x: (point.x + rest.x) / 2, y: (point.y + rest.y) / 2 });
      handlers.drag(middle(before), middle(at), true);
      if (was > 8 && is > 8) handlers.zoom(middle(at), is / was);
      pressed.set(event.pointerId, at);
      return;
    }
    if (!dragging && start !== null && Math.hypot(at.x - start.x, at.y - start.y) > SLACK) {
      dragging = true;
      // Captured only now, so that a plain click stays a click of the element.
      element.setPointerCapture(event.pointerId);
      element.style.cursor = "grabbing";
      handlers.hover(null, event);
    }
    if (dragging) {
      handlers.drag(before, at, other);
      pressed.set(event.pointerId, at);
    }
  };

  const onUp = (event: PointerEvent) => {
    const known = pressed.delete(event.pointerId);
    if (!known || pressed.size > 0) return;
    element.style.cursor = "";
    if (!dragging && event.type === "pointerup" && event.button === 0) {
      handlers.click(pointOf(event), event);
    }
    dragging = false;
    start = null;
  };

  const onLeave = (event: PointerEvent) => {
    if (pressed.size === 0) handlers.hover(null, event);
  };

  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 400 : 1;
    const at = pointOf(event);
    if (event.shiftKey && !event.ctrlKey) {
      const across = (event.deltaX || event.deltaY) * unit;
      handlers.drag(at, { x: at.x - across, y: at.y }, true);
      return;
    }
    // Pinches arrive as small steps with ctrl pressed.
    const rate = event.ctrlKey ? 0.012 : 0.0016;
    const step = Math.min(Math.max(-event.deltaY * unit * rate, -0.6), 0.6);
    if (step !== 0) handlers.zoom(at, Math.exp(step));
  };

  const onDouble = (event: MouseEvent) => handlers.doubleClick(pointOf(event));
  const onMenu = (event: MouseEvent) => event.preventDefault();

  element.style.touchAction = "none";
  element.addEventListener("pointerdown", onDown);
  element.addEventListener("pointermove", onMove);
  element.addEventListener("pointerup", onUp);
  element.addEventListener("pointercancel", onUp);
  element.addEventListener("pointerleave", onLeave);
  element.addEventListener("wheel", onWheel, { passive: false });
  element.addEventListener("dblclick", onDouble);
  element.addEventListener("contextmenu", onMenu);
  return () => {
    element.removeEventListener("pointerdown", onDown);
    element.removeEventListener("pointermove", onMove);
    element.removeEventListener("pointerup", onUp);
    element.removeEventListener("pointercancel", onUp);
    element.removeEventListener("pointerleave", onLeave);
    element.removeEventListener("wheel", onWheel);
    element.removeEventListener("dblclick", onDouble);
    element.removeEventListener("contextmenu", onMenu);
  };
}
