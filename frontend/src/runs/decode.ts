/** Numbers that are sent as base64. */

/** Reads little-endian float32 numbers; what is left over at the end is dropped. */
export function floats(text: string): Float32Array {
  const view = bytesOf(text);
  const numbers = new Float32Array(view.byteLength >> 2);
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = view.getFloat32(at * 4, true);
  return numbers;
}

/** Reads little-endian uint32 numbers as float32, which is exact enough for a picture. */
export function counts(text: string): Float32Array {
  const view = bytesOf(text);
  const numbers = new Float32Array(view.byteLength >> 2);
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = view.getUint32(at * 4, true);
  return numbers;
}

function bytesOf(text: string): DataView {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return new DataView(bytes.buffer);
}
