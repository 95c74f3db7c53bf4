/** The place of the minimap: it is there while a part of the picture is out of sight. */

import { useEffect, useRef, useState } from "react";
import type { Picture } from "../layout/picture";
import { createMinimap } from "../scene/minimap";
import type { Viewer } from "./viewer";

const LONGEST = 150;
const SHORTEST = 44;
/** Share of width and height in sight from which no map is needed. */
const ENOUGH = 0.9;

/** Shows where the view is in the whole; a press there moves the view. */
export function Minimap({ viewer }: { viewer: Viewer }) {
  const place = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const [needed, setNeeded] = useState(false);
  const shape = size === null ? "" : `${size.width} ${size.height}`;

  useEffect(() => {
    const measure = ({ width, height }: Picture) => {
      const scale = LONGEST / Math.max(width, height, 1);
      setSize({
        width: Math.max(SHORTEST, Math.round(width * scale)),
        height: Math.max(SHORTEST, Math.round(height * scale)),
      });
    };
    const picture = viewer.picture();
    if (picture) measure(picture);
    return viewer.onPicture(measure);
  }, [viewer]);

  useEffect(() => {
    const element = place.current;
    if (!element || shape === "") return;
    const map = createMinimap(element, (x, y) =>
      viewer.stage.setCamera({ ...viewer.camera(), x, y }, { animate: false }),
    );
    const look = () => {
      const picture = viewer.picture();
      if (!picture) return;
      const camera = viewer.camera();
      const screen = viewer.size();
      map.look(camera, screen);
      const across = screen.width / camera.zoom / 2;
      const down = screen.height / camera.zoom / 2;
      const seen = (middle: number, half: number, whole: number) =>
        (Math.min(middle + half, whole) - Math.max(middle - half, 0)) / Math.max(1, whole);
      const inside =
        seen(camera.x, across, picture.width) > ENOUGH &&
        seen(camera.y, down, picture.height) > ENOUGH;
      setNeeded(!inside && viewer.flat());
    };
    const show = () => {
      const [picture, paint] = [viewer.picture(), viewer.paint()];
      if (picture && paint) map.show(picture, paint);
      look();
    };
    show();
    const ends = [viewer.onLooks(show), viewer.onCamera(look), map.dispose];
    return () => {
      for (const end of ends) end();
    };
  }, [viewer, shape]);

  return <div ref={place} className="vz-minimap" hidden={!needed} style={size ?? {}} />;
}
