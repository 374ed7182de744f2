/**
 * What is counted from the log: jobs by queue, type and status, and jobs that became final by minute; and which jobs
 * are being processed, or wait since they were created.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { type FinalCounts, noCounts, type StatusCounts } from "../actors/job/counts.ts";
import { countsKey, minuteKey } from "../actors/job/keys.ts";
import { endEntry, RECORDS, type StreamEnd } from "../actors/record_streams.ts";
import { encodeJson } from "../actors/job/row.ts";
import { runningEntry, type Start } from "../actors/job/running.ts";
import type { WaitingPlace } from "../actors/job/bitmaps.ts";
import { positionIn } from "../actors/job/id.ts";
import { waitingEntries } from "../actors/job/waiting.ts";
import type { EventEnvelope } from "../events/event.ts";
import { parseIsoTime } from "../events/iso_time.ts";
import type { StoreEntry } from "../events/store.ts";
import type { Findings } from "./findings.ts";
import type { RestingJobs } from "./resting_jobs.ts";
import { sameJson } from "./same_value.ts";
import type { View } from "./view.ts";
import { WantedEntries } from "./wanted_entries.ts";

const MINUTE_MS = 60_000;
const NO_JOBS = encodeJson(noCounts());
const NOTHING_RUNS = runningEntry([]);

/** Jobs by queue, type and status. */
export function countsView(jobs: RestingJobs, findings: Findings): View {
  return new WantedEntries({
    prefix: "c",
    findings,
    wanted: () => countsOf(jobs),
    // Earlier versions kept it of a queue and type that had jobs once.
    isNothing: ({ value }) => sameJson(value, NO_JOBS),
  });
}

/** The jobs that are being processed. */
export function runningView(jobs: RestingJobs, findings: Findings): View {
  return new WantedEntries({
    prefix: "r",
    findings,
    wanted: () => [runningEntry(runningJobs(jobs))],
    isNothing: (entry) => isSameEntry(entry, NOTHING_RUNS),
  });
}

/** The jobs that wait since they were created. */
export function waitingView(jobs: RestingJobs, findings: Findings): View {
  return new WantedEntries({ prefix: "w", findings, wanted: () => waitingEntries(waitingPlaces(jobs)) });
}

/** Where the streams that are no jobs end. */
export function recordsView(records: ReadonlyMap<string, StreamEnd>, findings: Findings): View {
  return new WantedEntries({
    prefix: RECORDS,
    findings,
    wanted: () => records.entries().map(([stream, end]) => endEntry(stream, end)),
  });
}

/** Jobs that became final, by minute. */
export class FinalMinutes {
  readonly #minutes = new Map<number, FinalCounts>();

  count({ type, time }: EventEnvelope): void {
    if (type !== "job.completed" && type !== "job.failed" && type !== "job.cancelled") return;
    const minute = Math.floor(parseIsoTime(time) / MINUTE_MS);
    let counts = this.#minutes.get(minute);
    if (!counts) this.#minutes.set(minute, counts = { completed: 0, failed: 0, cancelled: 0 });
    counts[type.slice("job.".length) as keyof FinalCounts] += 1;
  }

  view(findings: Findings): View {
    return new WantedEntries({
      prefix: "m",
      findings,
      wanted: () =>
        this.#minutes.entries().map(([minute, counts]) => ({
          key: minuteKey(minute),
          value: encodeJson(counts),
        })),
    });
  }
}

function isSameEntry(one: StoreEntry, other: StoreEntry): boolean {
  return isDeepStrictEqual(one.key, other.key) && sameJson(one.value, other.value);
}

function countsOf(jobs: RestingJobs): StoreEntry[] {
  const lanes = new Map<string, { queue: string; jobType: string; counts: StatusCounts }>();
  for (const [, { cell }] of jobs.shapes()) {
    if (!cell) continue;
    const { queue, jobType, status } = cell;
    const name = `${queue}\n${jobType}`;
    let lane = lanes.get(name);
    if (!lane) lanes.set(name, lane = { queue, jobType, counts: noCounts() });
    lane.counts[status] += 1;
  }
  return [...lanes.values()].map(({ queue, jobType, counts }) => ({
    key: countsKey(queue, jobType),
    value: encodeJson(counts),
  }));
}

function* runningJobs(jobs: RestingJobs): Generator<[id: string, start: Start]> {
  for (const [id, { cell }] of jobs.shapes()) {
    if (cell?.status === "processing") yield [id, jobs.startOf(id)];
  }
}

function* waitingPlaces(jobs: RestingJobs): Generator<WaitingPlace> {
  for (const [id, { cell }] of jobs.shapes()) {
    if (cell?.waitingRank === undefined) continue;
    yield { queue: cell.queue, rank: cell.waitingRank, jobType: cell.jobType, position: positionIn(id) };
  }
}
