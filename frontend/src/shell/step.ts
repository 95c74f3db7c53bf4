/** Which box arrow keys go to. */

import type { Item } from "../graph/network";
import type { Picture } from "../layout/picture";
import type { Camera } from "../scene/stage";

export type Way = "up" | "down" | "left" | "right";

/**
 * The nearest box in a direction: what lies straight ahead counts more than what lies aside.
 * An open scope is passed through to what is in it. Without a start, the box that is nearest to
 * the middle of the view.
 */
export function nearest(
  picture: Picture,
  from: Item | null,
  way: Way,
  camera: Camera,
): Item | null {
  const { boxes, boxOf } = picture;
  const start = from === null ? -1 : boxOf[from];
  const seen = start >= 0 && boxes.item[start] === from;
  const horizontal = way === "left" || way === "right";
  const sign = way === "down" || way === "right" ? 1 : -1;
  const x = seen ? boxes.x[start] + boxes.width[start] / 2 : camera.x;
  const y = seen ? boxes.y[start] + boxes.height[start] / 2 : camera.y;
  let best: Item | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let box = 0; box < boxes.item.length; box += 1) {
    if (boxes.open[box] === 1 || box === start) continue;
    const dx = boxes.x[box] + boxes.width[box] / 2 - x;
    const dy = boxes.y[box] + boxes.height[box] / 2 - y;
    const ahead = sign * (horizontal ? dx : dy);
    const aside = Math.abs(horizontal ? dy : dx);
    if (seen && (ahead <= 1 || aside > 4 * ahead + 40)) continue;
    const distance = seen ? ahead + 2.5 * aside : Math.hypot(dx, dy);
    if (distance < least) {
      least = distance;
      best = boxes.item[box];
    }
  }
  return best;
}
