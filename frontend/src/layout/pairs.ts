/** Numbers pairs of whole numbers in the order in which they first come. */

/** A table of pairs. */
export interface Pairs {
  /** The number of a pair, a new one if it was not there. */
  readonly add: (a: number, b: number) => number;
  /** The number of a pair, -1 if it is not there. */
  readonly find: (a: number, b: number) => number;
  readonly count: () => number;
}

/** Makes an empty table: open addressing in typed arrays, several times as fast as a `Map`. */
export function pairTable(expected: number): Pairs {
  let size = 16;
  while (size < expected * 2) size *= 2;
  let slots = new Int32Array(size).fill(-1);
  let first = new Int32Array(size);
  let second = new Int32Array(size);
  let count = 0;
  const slotOf = (a: number, b: number): number => {
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & (size - 1);
    while (slots[slot] >= 0 && (first[slots[slot]] !== a || second[slots[slot]] !== b)) {
      slot = (slot + 1) & (size - 1);
    }
    return slot;
  };
  const grow = (): void => {
    size *= 2;
    slots = new Int32Array(size).fill(-1);
    first = copied(first, size);
    second = copied(second, size);
    for (let pair = 0; pair < count; pair++) slots[slotOf(first[pair], second[pair])] = pair;
  };
  return {
    add: (a, b) => {
      const slot = slotOf(a, b);
      if (slots[slot] >= 0) return slots[slot];
      first[count] = a;
      second[count] = b;
      slots[slot] = count++;
      if (count * 2 > size) grow();
      return count - 1;
    },
    find: (a, b) => slots[slotOf(a, b)],
    count: () => count,
  };
}

function copied(from: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(size);
  to.set(from);
  return to;
}
