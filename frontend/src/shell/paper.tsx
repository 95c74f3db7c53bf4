/** What is printed: the picture as it is on screen, in the colours of paper. */

import { useEffect, useRef } from "react";
import { toSvg } from "../scene/svg";
import type { View } from "../view/store";
import { litItems } from "./lit";
import type { Painter } from "./paint";
import type { Viewer } from "./viewer";

/** Writes what is open as SVG, on the ground of the theme or another one. */
export function drawingOf(
  view: View,
  painter: Painter,
  viewer: Viewer,
  theme: "light" | "dark",
  ground: number | null = null,
): string {
  const picture = viewer.picture();
  if (!picture) return "";
  const state = view.store.getState();
  const lit = litItems(view.network, picture, state);
  const paint = painter.paint(picture, { ...state, hovered: null }, theme, lit, viewer.shown);
  const colours = ground === null ? paint.colours : { ...paint.colours, ground };
  const legend = painter.legend(state.colourBy, theme);
  return toSvg(
    picture,
    viewer.caption,
    { ...paint, colours },
    {
      wireLabel: viewer.wireLabel,
      title: view.network.name,
      legend: legend.kind === "number" ? legend : null,
    },
  );
}

/** Holds the drawing while a page is printed. */
export function Paper({ view, painter, viewer }: { view: View; painter: Painter; viewer: Viewer }) {
  const sheet = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const fill = () => {
      const text = drawingOf(view, painter, viewer, "light", 0xffffff);
      const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      if (drawing.localName === "svg") sheet.current?.replaceChildren(document.adoptNode(drawing));
    };
    const empty = () => sheet.current?.replaceChildren();
    addEventListener("beforeprint", fill);
    addEventListener("afterprint", empty);
    return () => {
      removeEventListener("beforeprint", fill);
      removeEventListener("afterprint", empty);
    };
  }, [view, painter, viewer]);
  return <div ref={sheet} className="vz-paper" />;
}
