/**
 * Text as UTF-8 bytes and back, for what is stored and what is sent. That is mostly some hundred bytes, for which what
 * surrounds the conversion costs more than the conversion itself.
 *
 * @module
 */
import { keepBytes, takeBytes } from "./shared_bytes.ts";

const encoder = new TextEncoder();
const lenient = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true });

/** UTF-8 bytes that a UTF-16 unit takes at most. */
const MOST_PER_UNIT = 3;
/** For longer texts three bytes a unit would be much room for nothing. */
const LONG_UNITS = 4 * 1024;
/** What stands for bytes that are no UTF-8, and may stand in a text by itself. */
const REPLACEMENT = "\uFFFD";

/** The bytes may share their buffer with others': never transfer it. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > LONG_UNITS) return encoder.encode(text);
  const room = takeBytes(text.length * MOST_PER_UNIT);
  return keepBytes(room, encoder.encodeInto(text, room).written);
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
