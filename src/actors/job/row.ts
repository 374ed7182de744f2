/**
 * Rows: JSON bytes in the store.
 *
 * A job's row says what has changed since its first event, which its id leads to; it says all if the id leads nowhere.
 *
 * @module
 */
import { utf8 } from "../../events/utf8.ts";
import type { JobState } from "./state.ts";

const decoder = new TextDecoder();

export function encodeJson(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

export function decodeJson<T>(bytes: Uint8Array): T {
  return JSON.parse(decoder.decode(bytes));
}

export function encodeRow(state: JobState): Uint8Array {
  const { origin } = state;
  const said: Record<string, unknown> = {};
  // What `evolve` does not set it takes over as it is, so identity tells. Half the time that `Object.keys` takes.
  for (const field in state) {
    const value = state[field as keyof JobState];
    if (field !== "origin" && value !== origin?.[field as keyof JobState]) said[field] = value;
  }
  return encodeJson(said);
}

/**
 * The state that the row says, `null` if it rests on a first event and there is none.
 *
 * @param origin The state after the job's first event, `null` if the id leads to none.
 */
export function decodeRow(bytes: Uint8Array, origin: JobState | null): JobState | null {
  const said = decodeJson<Partial<JobState>>(bytes);
  if (said.id !== undefined) return { ...said as JobState, origin: null };
  return origin && { ...origin, ...said, origin };
}
