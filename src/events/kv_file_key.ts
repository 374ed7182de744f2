/**
 * Keys as Deno KV's SQLite file has them: bytes whose order is the order of the keys.
 *
 * A string is 0x02, its UTF-8 with each NUL as `00 FF`, and a NUL. A number is 0x21 and the eight bytes of the double,
 * most significant first, with the sign bit turned over, and all the others too when it is negative. Parts of other
 * types are never Daybook's.
 *
 * @module
 */
import type { StoreKey } from "./store.ts";

const STRING = 0x02;
const NUMBER = 0x21;
const NUL = 0x00;
/** Follows a NUL that is part of a string. */
const ESCAPE = 0xff;
const SIGN = 0x80;

const NUMBER_BYTES = 9;
/** Arguments of one call. */
const MOST_CODES = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
/** The characters of the part that is being read: a view of a few bytes costs more than their copy. */
const codes: number[] = [];
const double = new DataView(new ArrayBuffer(8));

/** @param suffix A byte to go after the parts, for the bounds of a range. */
export function encodeKey(key: StoreKey, suffix?: number): Uint8Array {
  const bytes = new Uint8Array(mostBytes(key));
  let at = 0;
  for (const part of key) {
    at = typeof part === "number" ? putNumber(bytes, part, at) : putString(bytes, part, at);
  }
  if (suffix !== undefined) bytes[at++] = suffix;
  return bytes.subarray(0, at);
}

/** @throws {TypeError} If the bytes are no key of strings and numbers. */
export function decodeKey(bytes: Uint8Array): StoreKey {
  const key: (string | number)[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === STRING) {
      const end = endOfString(bytes, at + 1);
      key.push(stringOf(bytes, at + 1, end));
      at = end + 1;
    } else if (bytes[at] === NUMBER && at + NUMBER_BYTES <= bytes.length) {
      key.push(numberOf(bytes, at + 1));
      at += NUMBER_BYTES;
    } else throw new TypeError(`no key of strings and numbers: ${bytes.toHex()}`);
  }
  return key;
}

/** UTF-8 takes at most three bytes a unit, and a NUL two with its escape; one more is for a suffix. */
function mostBytes(key: StoreKey): number {
  let bytes = 1;
  for (const part of key) bytes += typeof part === "number" ? NUMBER_BYTES : 3 * part.length + 2;
  return bytes;
}

/** Writes from `at` on and answers where it ended, as the others do. */
function putString(bytes: Uint8Array, part: string, at: number): number {
  bytes[at++] = STRING;
  for (let i = 0; i < part.length; i++) {
    const unit = part.charCodeAt(i);
    if (unit >= 0x80) return putEncoded(bytes, encoder.encode(part.slice(i)), at);
    bytes[at++] = unit;
    if (unit === NUL) bytes[at++] = ESCAPE;
  }
  bytes[at] = NUL;
  return at + 1;
}

function putEncoded(bytes: Uint8Array, rest: Uint8Array, at: number): number {
  for (const byte of rest) {
    bytes[at++] = byte;
    if (byte === NUL) bytes[at++] = ESCAPE;
  }
  bytes[at] = NUL;
  return at + 1;
}

function putNumber(bytes: Uint8Array, part: number, at: number): number {
  double.setFloat64(0, part);
  const flip = flipOf(double.getUint8(0) & SIGN);
  bytes[at] = NUMBER;
  bytes[at + 1] = double.getUint8(0) ^ (flip | SIGN);
  for (let i = 1; i < 8; i++) bytes[at + 1 + i] = double.getUint8(i) ^ flip;
  return at + NUMBER_BYTES;
}

function numberOf(bytes: Uint8Array, from: number): number {
  const flip = flipOf(~bytes[from]! & SIGN);
  double.setUint8(0, bytes[from]! ^ (flip | SIGN));
  for (let i = 1; i < 8; i++) double.setUint8(i, bytes[from + i]! ^ flip);
  return double.getFloat64(0);
}

function flipOf(isNegative: number): number {
  return isNegative ? 0xff : 0;
}

function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from;;) {
    const end = bytes.indexOf(NUL, at);
    if (end === -1) throw new TypeError(`a string in a key has no end: ${bytes.toHex()}`);
    if (bytes[end + 1] !== ESCAPE) return end;
    at = end + 2;
  }
}

function stringOf(bytes: Uint8Array, from: number, end: number): string {
  // Key parts are short and mostly ASCII, where the decoder's call costs more than its work.
  if (end - from > MOST_CODES) return decoder.decode(unescaped(bytes.subarray(from, end)));
  codes.length = end - from;
  for (let i = from; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === NUL || byte >= 0x80) return decoder.decode(unescaped(bytes.subarray(from, end)));
    codes[i - from] = byte;
  }
  return String.fromCharCode.apply(null, codes);
}

function unescaped(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, i) => !(byte === ESCAPE && bytes[i - 1] === NUL));
}
