/** Rounded corners of wires that run level for a while. */

const ANGLES = [0, 30, 55, 75, 90].map((degrees) => (degrees * Math.PI) / 180);

/**
 * Points around a corner at (`x`, `y`), from the upright side to the level one. The upright side
 * lies above (`down` -1) or below (1), the level one to the left (`across` -1) or right (1).
 */
export function corner(
  x: number,
  y: number,
  across: number,
  down: number,
  round: number,
): [number, number][] {
  return ANGLES.map((angle) => [
    x + across * round * (1 - Math.cos(angle)),
    y + down * round * (1 - Math.sin(angle)),
  ]);
}
