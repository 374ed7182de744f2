/**
 * Text as UTF-8 bytes and back, for what is stored. What is stored is mostly some hundred bytes, for which what surrounds
 * the conversion costs more than the conversion itself.
 *
 * @module
 */

const encoder = new TextEncoder();
const lenient = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true });

/** Texts share buffers of this size: a buffer of its own for each would take as long again to be made and collected. */
const SHARED_BYTES = 64 * 1024;
/** UTF-8 bytes that a UTF-16 unit takes at most. */
const MOST_PER_UNIT = 3;
/** What stands for bytes that are no UTF-8, and may stand in a text by itself. */
const REPLACEMENT = "\uFFFD";

let shared = new Uint8Array(SHARED_BYTES);
let used = 0;

/** The bytes may share their buffer with others': never transfer it. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  const most = text.length * MOST_PER_UNIT;
  if (most > SHARED_BYTES / 4) return encoder.encode(text);
  if (most > SHARED_BYTES - used) {
    shared = new Uint8Array(SHARED_BYTES);
    used = 0;
  }
  const { written } = encoder.encodeInto(text, shared.subarray(used));
  return shared.subarray(used, used += written);
}

/**
 * The other way round.
 *
 * @throws {TypeError} If the bytes are not UTF-8.
 */
export function textOf(bytes: Uint8Array): string {
  // The strict decoder takes four times as long.
  const text = lenient.decode(bytes);
  return text.includes(REPLACEMENT) ? strict.decode(bytes) : text;
}
