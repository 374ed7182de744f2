/**
 * Replay: folds the whole log and compares everything else in the store with it.
 *
 * One pass over the log, which looks up the row of each job as it goes, and one over its indexes; what is there too much
 * is found by counting.
 * Memory holds some 100 bytes for each job, not its state.
 *
 * @module
 */
import type { EventEnvelope } from "../events/event.ts";
import { EVENTS } from "../events/head.ts";
import { TILES } from "../events/merkle/tiles.ts";
import type { Store } from "../events/store.ts";
import { Upcasters } from "../events/upcasters.ts";
import { Chunks } from "./chunks.ts";
import { comparedStore } from "./compared_store.ts";
import { EarlyEntries } from "./early_entries.ts";
import { type Difference, Findings, type FindingsOptions, type Found, type Violation } from "./findings.ts";
import { IdempotencyKeys } from "./idempotency_keys.ts";
import { compareIndexes } from "./indexes.ts";
import { JobEntries } from "./job_entries.ts";
import { JobFold } from "./job_fold.ts";
import { LogReader, type PagesListener, readHead } from "./log_reader.ts";
import { RestingJobs } from "./resting_jobs.ts";
import { scan } from "./scan.ts";
import { countsView, FinalMinutes, recordsView, runningView, waitingView } from "./tallies.ts";

export interface ReplayOptions extends FindingsOptions {
  /** Told of the stored pages before their events are folded. Default: nobody. */
  readonly onPages?: PagesListener;
  /** Told of every event that is no job's, in the order of the log. Default: nobody. */
  readonly onRecord?: (event: EventEnvelope) => void;
  /** Where what is found is gathered, together with what another check finds. Default: one of its own. */
  readonly findings?: Findings;
  /** Idempotency keys that expired by then may be gone: their removal is no event. Default: the log's time. */
  readonly now?: number;
  /** First parts of keys that are folded from no event, and are passed over. */
  readonly otherPrefixes?: readonly string[];
  readonly upcasters?: Upcasters;
  readonly memory?: MemoryLimits;
  readonly onProgress?: (progress: Progress) => void;
}

/** What a replay holds at once; more is faster, up to these defaults. */
export interface MemoryLimits {
  /** States of jobs, each of a kilobyte or two. Default 2048. */
  readonly states: number;
  /** Pages of events, each of at most 60 KiB. Default 64. */
  readonly pages: number;
}

export interface Progress {
  readonly of: "events" | "entries";
  readonly done: number;
  /** `null` when it is not known. */
  readonly total: number | null;
}

export interface Replay {
  readonly logId: string;
  /** Names the last commit that was read. */
  readonly batchId: string;
  readonly events: number;
  readonly jobs: number;
  /** Compared with the fold, events and head not counted. */
  readonly entries: number;
  readonly violations: Found<Violation>;
  readonly differences: Found<Difference>;
}

/** First parts of the keys of events and head. */
const LOG = [EVENTS, "h"];
/** Of the tree over the events and its checkpoints, which are made from stored bytes and not from what they say. */
const TREE = [TILES, "tc", "tk"];
const MEMORY: MemoryLimits = { states: 2_048, pages: 64 };

/**
 * @param source One state of it; a store that is written to meanwhile shows differences that are none.
 * @throws {Error} If the store has no head, or cannot be read.
 */
export async function replay(source: Store, options: ReplayOptions = {}): Promise<Replay> {
  const { upcasters = new Upcasters(), otherPrefixes = [], memory = MEMORY, onProgress = () => {} } = options;
  const store = comparedStore(source);
  const { head } = await readHead(store);
  const findings = options.findings ?? new Findings(options);
  const log = new LogReader(store, head, upcasters, findings, memory.pages, options.onPages);
  const jobs = new RestingJobs(store, upcasters, findings);
  const chunks = new Chunks(store, findings);
  const idempotency = new IdempotencyKeys(store, findings, Math.max(head.time, options.now ?? 0));
  const minutes = new FinalMinutes();
  const fold = new JobFold(jobs, findings, memory.states, (before, after, event) => {
    chunks.step(before, after);
    idempotency.step(before, after);
    minutes.count(event);
  }, options.onRecord);

  for await (const events of log.batches()) {
    await fold.apply(events);
    await chunks.compare();
    await idempotency.compare();
    onProgress({ of: "events", done: log.position, total: head.position });
  }
  await fold.finish();
  await compareIndexes(store, jobs);

  const early = await EarlyEntries.read(store, head.position, findings);
  let entries = 0;
  await scan(store, {
    views: [
      chunks,
      idempotency,
      countsView(jobs, findings),
      minutes.view(findings),
      runningView(jobs, findings),
      waitingView(jobs, findings),
      recordsView(fold.records, findings),
      early,
    ],
    rest: new JobEntries(jobs, findings, early),
    passedOver: new Set([...LOG, ...TREE, ...otherPrefixes]),
    onEntries: (count) => {
      entries += count;
      onProgress({ of: "entries", done: entries, total: null });
    },
  });
  const { violations, differences } = findings;
  const { log_id, batch_id } = head;
  return {
    logId: log_id,
    batchId: batch_id,
    events: log.position,
    jobs: jobs.count,
    entries,
    violations,
    differences,
  };
}
