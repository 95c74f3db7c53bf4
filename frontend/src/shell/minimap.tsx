/** The place of the minimap. */

import { useEffect, useRef } from "react";
import type { Viewer } from "./viewer";

/** Shows where the view is in the whole. */
export function Minimap({ viewer }: { viewer: Viewer }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return;
    void viewer;
  }, [viewer]);
  return null;
}
