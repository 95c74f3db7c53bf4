/** What of a picture is in sight: where the camera goes for the whole, a box, or a place near. */

import type { Item } from "../graph/network";
import type { Picture } from "../layout/picture";
import type { Stage } from "../scene/stage";
import { prefersStill } from "./theme";

/** Moves the camera of a stage. */
export interface Sight {
  /** Whether the whole of a picture can be read at once. */
  readonly readable: (picture: Picture) => boolean;
  /** The whole picture if that can be read; else its top, as wide as it can be read. */
  readonly frame: (animate: boolean) => void;
  readonly focus: (item: Item) => void;
  readonly keepInSight: (item: Item) => void;
  /** Moves what has become small enough to be seen whole into sight, where it is not. */
  readonly comeIntoSight: () => void;
  /** Whether all of a box can be seen, and be read. */
  readonly inSight: (item: Item) => boolean;
  readonly panBy: (x: number, y: number) => void;
  readonly zoomTo: (zoom: number) => void;
}

/** What is looked at just now. */
export interface Looked {
  readonly picture: () => Picture | null;
  /** The item that is drawn for an item that may be hidden. */
  readonly shown: (item: Item) => Item;
  /** Whether it is drawn without a third axis. */
  readonly flat: () => boolean;
}

const MARGIN = 36;
/** Below this zoom names cannot be read: what is too tall starts at its top instead. */
const READABLE = 0.55;
const CLOSEST = 1.25;

/** Makes what moves the camera of a stage in a container. */
export function createSight(
  stage: Stage,
  container: HTMLElement,
  { picture: current, shown, flat }: Looked,
): Sight {
  function readable({ width, height }: Picture): boolean {
    const across = (container.clientWidth - 2 * MARGIN) / Math.max(1, width);
    const down = (container.clientHeight - 2 * MARGIN) / Math.max(1, height);
    return container.clientWidth === 0 || Math.min(across, down) >= READABLE;
  }

  function frame(animate: boolean): void {
    const picture = current();
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
    const picture = current();
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

  function comeIntoSight(): void {
    const picture = current();
    if (!picture || !flat()) return;
    const { x, y, zoom } = stage.camera();
    const within = (at: number, size: number, view: number) => {
      const reach = (view / 2 - MARGIN) / zoom;
      return size <= 2 * reach ? Math.min(Math.max(at, size - reach), reach) : at;
    };
    const camera = {
      x: within(x, picture.width, container.clientWidth),
      y: within(y, picture.height, container.clientHeight),
      zoom,
    };
    if (camera.x !== x || camera.y !== y) stage.setCamera(camera, { animate: !prefersStill() });
  }

  function inSight(item: Item): boolean {
    const rect = stage.rectOf(shown(item));
    const frame = container.getBoundingClientRect();
    return (
      rect !== null &&
      stage.camera().zoom >= READABLE &&
      flat() &&
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
    const picture = current();
    const box = picture ? picture.boxOf[item] : -1;
    return box >= 0 && picture?.boxes.item[box] === item ? box : -1;
  }

  return { readable, frame, focus, keepInSight, comeIntoSight, inSight, panBy, zoomTo };
}

/** The middle of the first box, where reading starts. */
function topOf({ boxes, width }: Picture): { x: number } {
  for (let box = 0; box < boxes.item.length; box += 1) {
    if (boxes.open[box] === 0) return { x: boxes.x[box] + boxes.width[box] / 2 };
  }
  return { x: width / 2 };
}
