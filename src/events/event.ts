/**
 * The event: Daybook's only stored truth, as `snake_case` JSON.
 *
 * Stored events outlive the code that wrote them. A changed event gets a new `schema_version` and an upcaster
 * (`upcasters.ts`); nothing here may be renamed.
 *
 * @module
 */
import { MOST_IN_VALUE } from "./kv_limits.ts";
import { textOf, utf8 } from "./utf8.ts";

/** Largest stored event in bytes. */
export const MAX_EVENT_BYTES = MOST_IN_VALUE;

/** Who caused an event and why, the same for all events of one command. */
export interface EventMeta {
  /** Token's name, `supervisor`, or another part of the system. */
  readonly actor: string;
  /** Id of the HTTP request, `null` when there was none. */
  readonly request_id: string | null;
  /** `position` of the event that this one answers, as a decimal string; `null` when there is none. */
  readonly causation_id: string | null;
  /** Free text given by whoever asked, at most 1 KiB. */
  readonly reason: string | null;
}

/** What an appender says about an event. */
export interface NewEvent {
  readonly type: string;
  readonly schema_version: number;
  readonly machine_version: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event as it is stored, exported and shown; the order of the fields is the order of the stored bytes. */
export interface EventEnvelope extends EventMeta {
  readonly log_id: string;
  readonly partition: number;
  /** 0, 1, 2 … within the partition, without a gap. */
  readonly position: number;
  readonly stream: string;
  /** 1, 2, 3 … within the stream. */
  readonly version: number;
  readonly type: string;
  readonly schema_version: number;
  readonly machine_version: number;
  /** ISO 8601, UTC, milliseconds; never before the time of an earlier position. */
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event together with the very bytes that are stored and hashed. */
export interface StoredEvent {
  readonly event: EventEnvelope;
  readonly bytes: Uint8Array;
}

export function encodeEvent(event: EventEnvelope): Uint8Array {
  return utf8(JSON.stringify(event));
}

/** @throws {SyntaxError | TypeError} If the bytes are not an event that was stored. */
export function decodeEvent(bytes: Uint8Array): EventEnvelope {
  return JSON.parse(textOf(bytes));
}
