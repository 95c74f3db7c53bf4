/** One tab stop for a row of buttons: arrow keys go from one to the next. */

import type { KeyboardEvent } from "react";

/** Moves the focus within a toolbar or menu. Give it to `onKeyDown` of what is around. */
export function rove(event: KeyboardEvent<HTMLElement>, axis: "x" | "y"): void {
  const [previous, next] = axis === "x" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  if (![previous, next, "Home", "End"].includes(event.key)) return;
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const target = event.target as HTMLElement;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) {
    if (event.key !== previous && event.key !== next) return;
  }
  const stops = [
    ...event.currentTarget.querySelectorAll<HTMLElement>("button,select,input,a[href]"),
  ].filter((one) => !one.hasAttribute("disabled") && one.offsetParent !== null);
  if (stops.length === 0) return;
  const at = stops.indexOf(target);
  const step = event.key === previous ? -1 : 1;
  let to = (at + step + stops.length) % stops.length;
  if (event.key === "Home") to = 0;
  if (event.key === "End") to = stops.length - 1;
  for (const stop of stops) stop.tabIndex = -1;
  stops[to].tabIndex = 0;
  stops[to].focus();
  event.preventDefault();
  event.stopPropagation();
}

/** Keeps exactly one of the buttons of a toolbar reachable by Tab. */
export function oneStop(bar: HTMLElement | null): void {
  if (!bar) return;
  const stops = [...bar.querySelectorAll<HTMLElement>("button,select,input,a[href]")];
  const usable = stops.filter((one) => !one.hasAttribute("disabled"));
  const current = usable.find((one) => one.tabIndex === 0) ?? usable[0];
  for (const stop of stops) stop.tabIndex = stop === current ? 0 : -1;
}
