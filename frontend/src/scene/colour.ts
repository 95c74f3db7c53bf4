/** Colours as `0xrrggbb`: mixing, brightness, what can be read on what. */

/** From `a` (t = 0) to `b` (t = 1). */
export function mixed(a: number, b: number, t: number): number {
  const part = (shift: number) => {
    const from = (a >> shift) & 255;
    const to = (b >> shift) & 255;
    return Math.round(from + (to - from) * t) << shift;
  };
  return part(16) | part(8) | part(0);
}

/** Relative luminance, 0 for black to 1 for white (WCAG 2). */
export function luminance(colour: number): number {
  const linear = (shift: number) => {
    const value = ((colour >> shift) & 255) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0);
}

/** Contrast of two colours, 1 to 21 (WCAG 2). */
export function contrast(a: number, b: number): number {
  const one = luminance(a) + 0.05;
  const other = luminance(b) + 0.05;
  return Math.max(one, other) / Math.min(one, other);
}

/** The preferred text colour where it can be read on `fill`, else black or white. */
export function inkOn(fill: number, preferred: number): number {
  if (contrast(fill, preferred) >= 4.5) return preferred;
  return contrast(fill, 0xffffff) > contrast(fill, 0) ? 0xffffff : 0;
}

/** As CSS and SVG write it: `#rrggbb`. */
export function hex(colour: number): string {
  return `#${(colour & 0xffffff).toString(16).padStart(6, "0")}`;
}
