/**
 * Room for small values in buffers that they share: a buffer of its own for each takes longer to be made and collected than
 * most of them take to be filled.
 *
 * @module
 */

const SHARED_BYTES = 64 * 1024;
/** Larger ones get a buffer of their own, so that little of a shared one is wasted. */
const LARGE_BYTES = SHARED_BYTES / 4;

let shared = new Uint8Array(SHARED_BYTES);
let used = 0;

/** So many bytes, of any content. They may share their buffer with others': never transfer it. */
export function takeBytes(size: number): Uint8Array<ArrayBuffer> {
  if (size > LARGE_BYTES) return new Uint8Array(size);
  if (size > SHARED_BYTES - used) {
    shared = new Uint8Array(SHARED_BYTES);
    used = 0;
  }
  return shared.subarray(used, used += size);
}

/** The first `kept` of the bytes that were taken last; the room behind them is taken again. */
export function keepBytes(taken: Uint8Array<ArrayBuffer>, kept: number): Uint8Array<ArrayBuffer> {
  if (taken.buffer === shared.buffer) used -= taken.length - kept;
  return taken.subarray(0, kept);
}
