/**
 * The states of jobs at hand: committed, and with what is staged on top.
 *
 * Decisions use the latest state, readers the committed one. A few thousand jobs are kept; the others are read from
 * their rows.
 *
 * @module
 */
import type { ChangingAppend, StagedAppend } from "../events/append.ts";
import type { JobChange } from "./job/projector.ts";
import { isFinal, type JobState } from "./job/state.ts";
import type { FoundJob, StoredJobs } from "./stored_jobs.ts";

/** Room for what windows (`due_window.ts`) have just read, and for what runs. */
const CAPACITY = 6_000;
/** Of these, final jobs: whoever waited for one asks at once, and they are many. */
const FINALS = 256;

interface Entry {
  committed: JobState | null;
  latest: JobState | null;
  /** Staged appends that have not landed. */
  pending: number;
  last: StagedAppend<JobChange> | undefined;
}

export class JobStates {
  readonly #stored: StoredJobs;
  readonly #storedForMany: StoredJobs;
  readonly #entries = new Map<string, Entry>();
  /** From so many entries on some are evicted; more than `CAPACITY` while too many have something staged. */
  #limit = CAPACITY;
  /** Final jobs, those longest final first. */
  readonly #finals: string[] = [];
  /** Counts reads; those under way by their number, the oldest first. */
  #read = 0;
  readonly #reads = new Set<number>();
  /** Jobs evicted while reads were under way, by the last read that had begun: a row it brings may be older than its job. */
  readonly #evicted = new Map<string, number>();

  /** @param storedForMany Reads what is preloaded. Default: as all else. */
  constructor(stored: StoredJobs, storedForMany = stored) {
    this.#stored = stored;
    this.#storedForMany = storedForMany;
  }

  /** The latest state, `null` when there is no such job, `undefined` when it is not at hand. */
  peek(id: string): JobState | null | undefined {
    return this.#entries.get(id)?.latest;
  }

  /** The staged append that the latest state rests on, if it has not landed. */
  pendingAppend(id: string): StagedAppend<JobChange> | undefined {
    const entry = this.#entries.get(id);
    return entry && entry.pending > 0 ? entry.last : undefined;
  }

  /** The latest state, read from the store when it is not at hand. */
  async latest(id: string): Promise<JobState | null> {
    const state = this.peek(id);
    return state !== undefined ? state : (await this.#load(id)).latest;
  }

  /** The state on disk. */
  async committed(id: string): Promise<JobState | null> {
    return (this.#entries.get(id) ?? await this.#load(id)).committed;
  }

  /** Brings the jobs that are found to hand, reading many at once. What is found may be what an index says. */
  async preload(find: () => Promise<readonly FoundJob[]>): Promise<void> {
    await this.#reading(async (isStale) => {
      const jobs = await find();
      const missing = jobs.filter(({ id }) => !this.#entries.has(id)).slice(0, CAPACITY / 2);
      const states = await this.#storedForMany.read(missing);
      states.forEach((state, i) => {
        const { id } = missing[i]!;
        if (state && !this.#entries.has(id) && !isStale(id)) this.#insert(id, state);
      });
    });
  }

  /** @param before The state that was decided on, `null` of a new job; it may have been evicted since it was read. */
  staged(id: string, before: JobState | null, after: JobState, append: StagedAppend<JobChange>): void {
    const entry = this.#entries.get(id) ?? this.#insert(id, before);
    entry.latest = after;
    entry.pending += 1;
    entry.last = append;
  }

  landed(appends: readonly ChangingAppend<JobChange>[]): void {
    for (const { change } of appends) {
      const entry = this.#entries.get(change.after.id);
      if (!entry) continue;
      entry.committed = change.after;
      entry.pending -= 1;
      if (entry.pending > 0) continue;
      entry.last = undefined;
      if (isFinal(change.after.phase)) this.#finals.push(change.after.id);
    }
    while (this.#finals.length > FINALS) this.#evictFinal(this.#finals.shift()!);
  }

  /** Whatever was staged and has not landed never will. */
  reset(): void {
    for (const [id, entry] of this.#entries) {
      if (entry.pending === 0) continue;
      if (entry.committed === null) this.#entries.delete(id);
      else Object.assign(entry, { latest: entry.committed, pending: 0, last: undefined });
    }
  }

  /** A copy: the entry may have been evicted by the time at which the caller looks at it. */
  async #load(id: string): Promise<Pick<Entry, "committed" | "latest">> {
    for (;;) {
      const found = await this.#reading(async (isStale) => {
        const [state = null] = await this.#stored.read([{ id }]);
        const known = this.#entries.get(id);
        if (known) return { ...known };
        if (isStale(id)) return undefined;
        // Ids that do not exist are not kept, or strangers could crowd out the jobs.
        if (state) this.#insert(id, state);
        return { committed: state, latest: state };
      });
      if (found) return found;
    }
  }

  /** @param work Reads from the store; it may keep what it read of jobs that are not at hand by then, and not stale. */
  async #reading<T>(work: (isStale: (id: string) => boolean) => Promise<T>): Promise<T> {
    const read = ++this.#read;
    this.#reads.add(read);
    try {
      return await work((id) => (this.#evicted.get(id) ?? 0) >= read);
    } finally {
      this.#reads.delete(read);
      this.#forgetEvicted();
    }
  }

  /** What was evicted before the oldest read under way began is of no concern to any. */
  #forgetEvicted(): void {
    const [oldest = Infinity] = this.#reads;
    for (const [id, read] of this.#evicted) {
      if (read >= oldest) break;
      this.#evicted.delete(id);
    }
  }

  #insert(id: string, state: JobState | null): Entry {
    if (this.#entries.size >= this.#limit) this.#evict();
    const entry: Entry = { committed: state, latest: state, pending: 0, last: undefined };
    this.#entries.set(id, entry);
    return entry;
  }

  #evict(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size <= CAPACITY * 0.9) break;
      if (entry.pending > 0) continue;
      this.#remove(id, entry);
    }
    this.#limit = Math.max(CAPACITY, Math.ceil(this.#entries.size * 1.1));
  }

  #evictFinal(id: string): void {
    const entry = this.#entries.get(id);
    if (entry?.committed && isFinal(entry.committed.phase) && entry.pending === 0) this.#remove(id, entry);
  }

  #remove(id: string, entry: Entry): void {
    this.#entries.delete(id);
    // In V8's old generation even a dead entry keeps what it points to, until the next full collection.
    entry.committed = entry.latest = null;
    if (this.#reads.size === 0) return;
    // The map stays in the order of the evictions.
    this.#evicted.delete(id);
    this.#evicted.set(id, this.#read);
  }
}
