/** The colour of a category. */

import type { Category } from "../graph/network";
import { hue } from "../scale/palette";
import { hex } from "../scene/colour";

/** A small square in the colour of a category. */
export function Swatch({ category }: { category: Category }) {
  return <span className="vz-swatch" style={{ background: hex(hue(category)) }} />;
}

/** A bar in the colour of a category, behind what it is about. */
export function Bar({ category, percent }: { category: Category; percent: number }) {
  return (
    <span
      className="vz-bar"
      style={{ width: `${percent}%`, background: `${hex(hue(category))}44` }}
    />
  );
}

/** A dot in the colour of a category, at the beginning of a row. */
export function Dot({ category }: { category: Category }) {
  return <span className="vz-dot" style={{ background: hex(hue(category)) }} />;
}
