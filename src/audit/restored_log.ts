/**
 * Begins a new log on a copy of an old one, so that the two are never taken for each other.
 *
 * The old one's events stay byte for byte what they were, and so do its tree and its checkpoints; the new log's first
 * event follows them and names the old log with size and root.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { leadsBeyond } from "../actors/job/keys.ts";
import { endEntry } from "../actors/record_streams.ts";
import { undoSteps } from "../events/early_entries.ts";
import { encodeEvent, type EventEnvelope } from "../events/event.ts";
import { encodeHead, eventKey, type Head, headKey } from "../events/head.ts";
import type { Store } from "../events/store.ts";
import { LOG_RESTORED, readHead } from "./log_reader.ts";

export interface NewLogOptions {
  readonly newId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of all events of the old log. */
  readonly root: Uint8Array;
  /** The old log's latest, if it has one. */
  readonly checkpoint: string | null;
}

const PARTITION = 0;
const NOT_ALONE = "Somebody else writes to the copy that is being restored";

/** @param store Nobody else's. Returns the new log's head. */
export async function beginNewLog(store: Store, options: NewLogOptions): Promise<Head> {
  const { newId, now, root, checkpoint } = options;
  const { head: old, versionstamp } = await readHead(store);
  const check = { key: headKey(PARTITION), versionstamp };
  // Those entries lead beyond the end of the old log, where the new one goes on.
  for await (const deletes of undoSteps(store, { mayPrecede: leadsBeyond }, old.position)) {
    if (await store.commit({ check, puts: [], deletes }) === null) throw new Error(NOT_ALONE);
  }
  const logId = newId();
  const time = Math.max(now, old.time);
  const event: EventEnvelope = {
    log_id: logId,
    partition: PARTITION,
    position: old.position,
    stream: `log/${logId}`,
    version: 1,
    type: LOG_RESTORED,
    schema_version: 1,
    machine_version: 1,
    time: new Date(time).toISOString(),
    actor: "restore",
    request_id: null,
    causation_id: null,
    reason: null,
    data: {
      log_id: old.log_id,
      size: old.position,
      root: Buffer.from(root).toString("base64"),
      checkpoint,
    },
  };
  const head: Head = {
    ...old,
    log_id: logId,
    epoch: old.epoch + 1,
    position: old.position + 1,
    batch_id: newId(),
    time,
    earlier: [...old.earlier ?? [], { log_id: old.log_id, size: old.position }],
  };
  const landed = await store.commit({
    check,
    puts: [
      { key: eventKey(PARTITION, old.position), value: encodeEvent(event) },
      { key: headKey(PARTITION), value: encodeHead(head) },
      endEntry(event.stream, { version: 1, position: event.position }),
    ],
    deletes: [],
  });
  if (landed === null) throw new Error(NOT_ALONE);
  return head;
}
