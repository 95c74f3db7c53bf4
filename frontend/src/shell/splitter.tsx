/** The edge of a side panel, by which it is made wider. */

import { useBench, usePrefs } from "./bench";
import { NARROWEST, WIDEST } from "./prefs";

/** Resizes the outline or the panel, by pointer or with arrow keys. */
export function Splitter({ side }: { side: "outline" | "panel" }) {
  const { prefs } = useBench();
  const name = side === "outline" ? "outlineWidth" : "panelWidth";
  const width = usePrefs((one) => one[name]);
  const grows = side === "outline" ? 1 : -1;
  const set = (to: number) =>
    prefs.set({ [name]: Math.round(Math.min(WIDEST, Math.max(NARROWEST, to))) });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged
    <div
      className="vz-splitter"
      data-side={side}
      role="separator"
      aria-orientation="vertical"
      aria-label={side === "outline" ? "Width of the outline" : "Width of the details"}
      aria-valuenow={width}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      tabIndex={0}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        set(width + grows * step);
      }}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        const from = event.clientX;
        const bar = event.currentTarget;
        const pressed = new AbortController();
        const { signal } = pressed;
        const move = (now: PointerEvent) => set(width + grows * (now.clientX - from));
        bar.addEventListener("pointermove", move, { signal });
        for (const end of ["pointerup", "pointercancel"])
          bar.addEventListener(end, () => pressed.abort(), { signal });
      }}
    />
  );
}
