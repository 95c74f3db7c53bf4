/** The outline of what stands beside the trunk: how far out it reaches at each height. */

/** A skyline over sorted heights; asking and raising cost the logarithm of their number. */
export interface Skyline {
  /** How far out anything between two heights reaches. */
  readonly reach: (from: number, to: number) => number;
  /** Something between two heights reaches out this far. */
  readonly raise: (from: number, to: number, out: number) => void;
}

/** Makes a flat skyline at `ground`, over places numbered from 0 to `places - 1`. */
export function skyline(places: number, ground = 0): Skyline {
  let leaves = 1;
  while (leaves < places) leaves *= 2;
  // `most[i]` holds for some place below i, `all[i]` for all of them.
  const most = new Float64Array(2 * leaves).fill(ground);
  const all = new Float64Array(2 * leaves).fill(ground);
  const lift = (node: number): void => {
    for (let at = node >> 1; at >= 1; at >>= 1) {
      const reached = Math.max(most[2 * at], most[2 * at + 1], all[at]);
      if (reached === most[at]) break;
      most[at] = reached;
    }
  };
  return {
    reach: (from, to) => {
      let found = ground;
      let a = from + leaves;
      let b = to + leaves;
      for (let at = a >> 1; at >= 1; at >>= 1) found = Math.max(found, all[at]);
      for (let at = b >> 1; at >= 1; at >>= 1) found = Math.max(found, all[at]);
      for (; a <= b; a >>= 1, b >>= 1) {
        if ((a & 1) === 1) found = Math.max(found, most[a++]);
        if ((b & 1) === 0) found = Math.max(found, most[b--]);
      }
      return found;
    },
    raise: (from, to, out) => {
      let a = from + leaves;
      let b = to + leaves;
      const mark = (node: number): void => {
        all[node] = Math.max(all[node], out);
        most[node] = Math.max(most[node], out);
        lift(node);
      };
      for (; a <= b; a >>= 1, b >>= 1) {
        if ((a & 1) === 1) mark(a++);
        if ((b & 1) === 0) mark(b--);
      }
    },
  };
}
