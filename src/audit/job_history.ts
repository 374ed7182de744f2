/**
 * The whole history of one job, found in the log itself: no view is believed, and a job that was deleted is found too.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { jobStream } from "../actors/job/events.ts";
import { decodeEvent, type StoredEvent } from "../events/event.ts";
import { fromPage } from "../events/event_page.ts";
import { eventKey, EVENTS } from "../events/head.ts";
import type { Store } from "../events/store.ts";
import { readHead } from "./log_reader.ts";

/** The log has no event of this job. */
export class UnknownJobError extends Error {
  override readonly name = "UnknownJobError";
  constructor(readonly jobId: string, readonly logId: string, readonly events: number) {
    super(`There is no job ${jobId} in log ${logId}, which has ${events} events`);
  }
}

export interface JobHistory {
  readonly logId: string;
  /** Number of events in the log. */
  readonly events: number;
  /** The job's, oldest first; at least one. */
  readonly history: readonly StoredEvent[];
}

const PARTITION = 0;
const PAGES_PER_READ = 64;

/**
 * Reads the whole log.
 *
 * @throws {UnknownJobError} If there is no such job.
 * @throws {Error} If an event of it is damaged.
 */
export async function readHistory(
  store: Store,
  jobId: string,
  onProgress: (events: number, total: number) => void = () => {},
): Promise<JobHistory> {
  const { head: { log_id: logId, position: events } } = await readHead(store);
  const mark = `"stream":${JSON.stringify(jobStream(jobId))}`;
  const history: StoredEvent[] = [];
  const range = { prefix: [EVENTS, PARTITION], start: eventKey(PARTITION, 0) };
  for (;;) {
    const pages = await store.list(range, { limit: PAGES_PER_READ });
    for (const page of pages) {
      // Most pages have nothing of the job, and none of their events need be read.
      if (!Buffer.from(page.value.buffer, page.value.byteOffset, page.value.length).includes(mark)) continue;
      const { first, events } = fromPage(page);
      events.forEach((bytes, i) => {
        const event = decoded(first + i, bytes);
        if (event.stream === jobStream(jobId)) history.push({ event, bytes });
      });
    }
    if (pages.length < PAGES_PER_READ) break;
    range.start = [...pages.at(-1)!.key, ""];
    onProgress(pages.at(-1)!.key[2] as number, events);
  }
  if (history.length === 0) throw new UnknownJobError(jobId, logId, events);
  return { logId, events, history };
}

function decoded(position: number, bytes: Uint8Array) {
  try {
    return decodeEvent(bytes);
  } catch (error) {
    throw new Error(`The event at position ${position} is damaged: run deno task audit verify`, {
      cause: error,
    });
  }
}
