/**
 * Text as UTF-8 bytes, for what is stored. For the few hundred bytes of an event Node's pooled `Buffer` takes a third of the
 * time of `TextEncoder`, and leaves no backing store of its own to be collected.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The bytes share their buffer with others': never transfer it. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = Buffer.from(text);
  return new Uint8Array(buffer, byteOffset, byteLength);
}
