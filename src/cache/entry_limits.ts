/**
 * What every cache accepts: the same keys, values and times to live whatever stores them.
 *
 * @module
 */
import type { Json } from "../handlers/handler.ts";

/** Longest key and longest pattern, in UTF-16 code units: `key.length`. */
export const MAX_KEY_LENGTH = 512;
/** Largest value, in bytes of UTF-8 JSON: a Deno KV value of 64 KiB less its frame. */
export const MAX_VALUE_BYTES = 60 * 1024;
/** Longest time to live, about 317 years; instants beyond it stay exact in every store. */
export const MAX_TTL_SECONDS = 1e10;

/**
 * @throws {TypeError} When the key is no string, or no well-formed one: its UTF-8 would be another key's too.
 * @throws {RangeError} When it is empty or too long.
 */
export function checkKey(key: string): void {
  if (typeof key !== "string") throw new TypeError("A cache key must be a string");
  if (key.length === 0 || key.length > MAX_KEY_LENGTH) {
    throw new RangeError(`A cache key must have 1 to ${MAX_KEY_LENGTH} characters, not ${key.length}`);
  }
  if (!key.isWellFormed()) throw new TypeError("A cache key must be well-formed Unicode");
}

/**
 * The value as UTF-8 JSON.
 *
 * @throws {TypeError} When it is not JSON.
 * @throws {RangeError} When it is too large.
 */
export function encodeValue(value: Json): Uint8Array<ArrayBuffer> {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`A cache value must be JSON, not ${typeof value}`);
  const bytes = new TextEncoder().encode(json);
  if (bytes.byteLength > MAX_VALUE_BYTES) {
    throw new RangeError(
      `A cache value must be at most ${MAX_VALUE_BYTES} bytes of JSON, not ${bytes.byteLength}`,
    );
  }
  return bytes;
}

/**
 * The time to live in whole milliseconds, rounded up so that it is never 0.
 *
 * @throws {RangeError} When it is not above 0 or beyond {@linkcode MAX_TTL_SECONDS}.
 */
export function ttlMilliseconds(ttlSeconds: number): number {
  if (!(ttlSeconds > 0 && ttlSeconds <= MAX_TTL_SECONDS)) {
    throw new RangeError(`ttlSeconds must be above 0 and at most ${MAX_TTL_SECONDS}, not ${ttlSeconds}`);
  }
  return Math.ceil(ttlSeconds * 1000);
}
