/**
 * Rows: JSON bytes in the store.
 *
 * @module
 */
import type { JobState } from "./state.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function decodeJson<T>(bytes: Uint8Array): T {
  return JSON.parse(decoder.decode(bytes));
}

export function encodeRow(state: JobState): Uint8Array {
  return encodeJson(state);
}

export function decodeRow(bytes: Uint8Array): JobState {
  return decodeJson(bytes);
}
