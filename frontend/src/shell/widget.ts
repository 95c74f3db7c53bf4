/** The viewer as a widget of a notebook, by what anywidget asks for. */

import { mount } from "./mount";

/** What anywidget gives of a widget's state. */
export interface WidgetModel {
  readonly get: (name: string) => unknown;
  readonly on: (event: string, listen: () => void) => void;
  readonly off: (event: string, listen: () => void) => void;
}

/** Shows a widget in an element of the notebook; gives what takes it away. */
export function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const resize = () => {
    el.style.height = `${Math.max(100, Number(model.get("height")) || 600)}px`;
  };
  let shown: ReturnType<typeof mount> | null = null;
  const show = () => {
    shown?.unmount();
    const theme = String(model.get("theme") ?? "auto");
    shown = mount(el, { kind: "bytes", bytes: bytesOf(model.get("wire")) }, { hints: { theme } });
  };
  const retheme = () => shown?.setTheme(String(model.get("theme") ?? "auto"));
  resize();
  show();
  const listeners = { "change:height": resize, "change:wire": show, "change:theme": retheme };
  for (const [event, listen] of Object.entries(listeners)) model.on(event, listen);
  return () => {
    for (const [event, listen] of Object.entries(listeners)) model.off(event, listen);
    shown?.unmount();
  };
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof DataView)
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return value instanceof Uint8Array ? value : new Uint8Array();
}
