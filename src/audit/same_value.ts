/**
 * Whether two stored values say the same.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";

const decoder = new TextDecoder();

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The same bytes, or the same JSON with its fields in another order. */
export function sameJson(a: Uint8Array, b: Uint8Array): boolean {
  if (sameBytes(a, b)) return true;
  const [left, right] = [parsedJson(a), parsedJson(b)];
  return left !== undefined && isDeepStrictEqual(left, right);
}

/** `undefined` when it is none. */
export function parsedJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value));
  } catch {
    return undefined;
  }
}
