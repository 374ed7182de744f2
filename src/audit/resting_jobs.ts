/**
 * The jobs that nothing happens to for a while: some 100 bytes each, not their states.
 *
 * A job whose row in the store is the one that its state should have leaves only its shape, and its state is read from its
 * row again; so does a job that is its first event, to which its id leads. Of any other the positions of its events are
 * kept, to be folded again. Indexes are compared when all jobs are known (`indexes.ts`).
 *
 * @module
 */
import { jobIdOf, jobStream } from "../actors/job/events.ts";
import { positionIn } from "../actors/job/id.ts";
import { decodeRow } from "../actors/job/row.ts";
import { runningStart } from "../actors/job/running.ts";
import type { JobState } from "../actors/job/state.ts";
import { isFirst } from "../actors/job/stored.ts";
import { decodeEvent, type StoredEvent } from "../events/event.ts";
import { readEventsAt } from "../events/event_page.ts";
import type { StoreEntry, StoreKey } from "../events/store.ts";
import type { Upcasters } from "../events/upcasters.ts";
import type { ComparedStore } from "./compared_store.ts";
import type { Findings } from "./findings.ts";
import { entriesOf, foldAll, isDoneWith } from "./folded_job.ts";
import { inPages } from "./in_pages.ts";
import { isRow, type JobShape, JobShapes } from "./job_shapes.ts";
import { sameJson } from "./same_value.ts";

/** Jobs that are settled together. */
const PAGE = 512;
const PARTITION = 0;
/** Jobs that are their first event may change shape; whose shapes nobody shares would leave one behind each time. */
const MOST_EARLY_SHAPES = 65_536;

/** Positions of a job's events; one is kept as a number, which costs nothing. */
type Events = number | readonly number[];
/** Of a job that cannot be folded again. */
const UNKNOWN: JobShape = { row: null, indexes: [], cell: null, time: null };
type NamedJob = readonly [stream: string, state: JobState];

interface ExpectedJob {
  readonly stream: string;
  readonly state: JobState;
  readonly entries: readonly StoreEntry[];
  readonly row: StoreEntry | undefined;
}

export class RestingJobs {
  readonly #store: ComparedStore;
  readonly #upcasters: Upcasters;
  readonly #findings: Findings;
  readonly #shapes = new JobShapes();
  /** By stream: an event brings its name, an id would be one more string. */
  readonly #jobs = new Map<string, JobShape | Events>();
  /** Positions of the starts of jobs that have no row. */
  readonly #starts = new Map<string, number>();
  /** Entries of settled jobs that should be there and are not, by first part. */
  readonly #missing = new Map<string, number>();

  constructor(store: ComparedStore, upcasters: Upcasters, findings: Findings) {
    this.#store = store;
    this.#upcasters = upcasters;
    this.#findings = findings;
  }

  has(stream: string): boolean {
    return this.#jobs.has(stream);
  }

  /** Takes these jobs in, but for those that would take more memory here; answers them. */
  async lay(jobs: readonly NamedJob[]): Promise<NamedJob[]> {
    const left = new Map(jobs);
    const rest = (job: ExpectedJob) => {
      this.#rest(job);
      left.delete(job.stream);
    };
    for (const job of jobs) {
      if (this.#shapes.size < MOST_EARLY_SHAPES && isFirst(job[1])) rest(expectedOf(job));
    }
    for (const job of await this.#stored(left)) rest(job);
    for (const [stream, { version, positions }] of left) {
      if (version !== positions.length) continue;
      this.#jobs.set(stream, version === 1 ? positions[0]! : positions);
      left.delete(stream);
    }
    return [...left];
  }

  /**
   * The states of these jobs, which stay here until they are laid or settled again. A job of whose events another has
   * taken the place, in a log that is not lawful, is left out.
   */
  async wake(streams: readonly string[]): Promise<NamedJob[]> {
    const byRow: { stream: string; key: StoreKey }[] = [];
    const byEvents: { stream: string; events: readonly number[] }[] = [];
    for (const stream of streams) {
      const job = this.#jobs.get(stream)!;
      if (!isShape(job)) byEvents.push({ stream, events: typeof job === "number" ? [job] : job });
      else if (job.row) byRow.push({ stream, key: [...job.row, jobIdOf(stream)] });
      else byEvents.push({ stream, events: [positionIn(jobIdOf(stream))] });
    }
    const rows = await this.#store.getMany(byRow.map(({ key }) => key));
    const firsts = byRow.map(({ stream }) => ({ stream, events: [positionIn(jobIdOf(stream))] }));
    const origins = new Map(
      await this.#fold(firsts.filter(({ events }) => events.every(Number.isSafeInteger))),
    );
    const read = byRow.flatMap(({ stream }, i): NamedJob[] => {
      const state = decodeRow(rows[i]!, origins.get(stream) ?? null);
      return state ? [[stream, state]] : [];
    });
    return [...read, ...await this.#fold(byEvents)];
  }

  /** No events follow: names each entry that differs, of these jobs and of those that rest by their events. */
  async settle(awake: Iterable<NamedJob>): Promise<void> {
    for (const page of inPages(awake, PAGE)) await this.#settle(page);
    const unsettled = this.#jobs.entries().filter(([, job]) => !isShape(job)).map(([stream]) => stream);
    for (const page of inPages(unsettled, PAGE)) {
      const woken = await this.wake(page);
      for (const stream of page) this.#jobs.set(stream, UNKNOWN);
      await this.#settle(woken);
    }
  }

  /** Of a settled job, `undefined` when there is none of this id. */
  shapeOf(id: string): JobShape | undefined {
    return this.#jobs.get(jobStream(id)) as JobShape | undefined;
  }

  /** Of all jobs; they are settled. */
  *shapes(): Generator<[id: string, shape: JobShape]> {
    for (const [stream, shape] of this.#jobs) yield [jobIdOf(stream), shape as JobShape];
  }

  get count(): number {
    return this.#jobs.size;
  }

  /** Position of the start of a settled job that has no row, `null` when it has one. */
  startOf(id: string): number | null {
    return this.#starts.get(id) ?? null;
  }

  /** How many entries of settled jobs should be there and are not, by first part. */
  get missing(): ReadonlyMap<string, number> {
    return this.#missing;
  }

  /** Names each of these entries that differs from what is there. */
  async compare(entries: readonly StoreEntry[]): Promise<void> {
    const held = await this.#store.holds(entries);
    for (const [i, entry] of entries.entries()) if (!held[i]) await this.#compare(entry);
  }

  /** The jobs that are done with and whose row in the store is as it should be. */
  async #stored(jobs: Iterable<NamedJob>): Promise<ExpectedJob[]> {
    const done = Iterator.from(jobs).filter(([, state]) => isDoneWith(state)).map(expectedOf).toArray();
    const held = await this.#store.holds(done.map(({ row }) => row!));
    return done.filter((_, i) => held[i]);
  }

  async #settle(jobs: readonly NamedJob[]): Promise<void> {
    const expected = jobs.map(expectedOf);
    for (const job of expected) {
      this.#rest(job);
      const start = runningStart(job.state);
      if (typeof start === "number") this.#starts.set(job.state.id, start);
    }
    await this.compare(expected.flatMap(({ row }) => row ?? []));
  }

  #rest({ stream, state, entries }: ExpectedJob): void {
    this.#jobs.set(stream, this.#shapes.of(state, entries));
  }

  async #compare({ key, value }: StoreEntry): Promise<void> {
    const { value: is } = await this.#store.get(key);
    const prefix = key[0] as string;
    if (!is) this.#missing.set(prefix, (this.#missing.get(prefix) ?? 0) + 1);
    if (!is || !isRow({ key, value }) || !sameJson(is, value)) await this.#findings.differs(key, is, value);
  }

  async #fold(jobs: readonly { stream: string; events: readonly number[] }[]): Promise<NamedJob[]> {
    const found = await readEventsAt(this.#store, PARTITION, jobs.flatMap(({ events }) => events));
    const all = found.values();
    return jobs.flatMap(({ stream, events }) => {
      const history = events.map(() => this.#decode(all.next().value)).filter((stored) =>
        stored !== undefined
      );
      const isWhole = history.length === events.length &&
        history.every(({ event }) => event.stream === stream);
      const state = isWhole ? foldAll(history) : undefined;
      return state ? [[stream, state]] : [];
    });
  }

  #decode(bytes: Uint8Array | undefined): StoredEvent | undefined {
    try {
      return bytes && { event: this.#upcasters.upcast(decodeEvent(bytes)), bytes };
    } catch {
      return undefined;
    }
  }
}

function expectedOf([stream, state]: NamedJob): ExpectedJob {
  const entries = entriesOf(state);
  return { stream, state, entries, row: entries.find(isRow) };
}

function isShape(job: JobShape | Events): job is JobShape {
  return typeof job === "object" && "indexes" in job;
}
