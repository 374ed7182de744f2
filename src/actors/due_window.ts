/**
 * A window on what waits in one queue and priority: the first thousand or so in memory, the rest on disk.
 *
 * Everything on disk up to the horizon is in the window; what lands beyond it stays on disk until the window runs low and
 * the horizon's time is near.
 *
 * @module
 */
import {
  AHEAD_MS,
  BEGINNING,
  comparePlaces,
  type DueEntry,
  type DuePage,
  type DueSource,
  type Horizon,
  horizonBehind,
  mayBeSoon,
  type Place,
  readDue,
} from "./due_page.ts";
import type { FoundJob } from "./stored_jobs.ts";
import type { Lane } from "./waiting_positions.ts";

export type { DueEntry };

export interface WindowSizes {
  /** Rows that are read at a time. */
  readonly page: number;
  /** With fewer entries the window reads on. */
  readonly low: number;
  /** With more, half of them are dropped again. */
  readonly high: number;
}

export interface DueWindowOptions extends DueSource {
  /** Jobs that may not be chosen now; the window has its entries beside them. */
  readonly held: ReadonlySet<string>;
  readonly preload: (find: () => Promise<readonly FoundJob[]>) => Promise<void>;
  /** Told when nothing is left of a window, here or on disk. */
  readonly onSpent: (window: Lane) => void;
  /** Told when the window has read on. */
  readonly onFound: () => void;
  readonly onError: (error: unknown) => void;
  readonly sizes: () => WindowSizes;
}

export class DueWindow {
  readonly #options: DueWindowOptions;
  /** Sorted by time and id, from `#first` on. */
  #entries: DueEntry[] = [];
  #first = 0;
  /** Rows up to here are in the window; `undefined` when all are. */
  #horizon: Horizon | undefined;
  /** What landed while a refill was reading; `null` stands for a job that left. */
  #meanwhile: Map<string, DueEntry | null> | undefined;

  /** @param unread Whether there may be rows on disk that are still to be read with {@linkcode refill}. */
  constructor(readonly queue: string, readonly rank: number, unread: boolean, options: DueWindowOptions) {
    this.#options = options;
    this.#horizon = unread ? BEGINNING : undefined;
  }

  /** The first entry that is not held. */
  first(): DueEntry | undefined {
    const { held } = this.#options;
    if (held.size === 0) return this.#entries[this.#first];
    for (let i = this.#first; i < this.#entries.length; i++) {
      if (!held.has(this.#entries[i]!.id)) return this.#entries[i];
    }
    return undefined;
  }

  /** Whether there is nothing at hand and something on disk may be due. */
  mustRead(now: number): boolean {
    return this.#horizon !== undefined && this.#horizon.readyAt <= now && this.first() === undefined;
  }

  /** When the first is due, or it is time to read which comes next; `undefined` while nothing is known to come. */
  get nextAt(): number | undefined {
    const first = this.first();
    if (first) return first.readyAt;
    return this.#horizon && !this.#meanwhile ? this.#horizon.readyAt - AHEAD_MS : undefined;
  }

  /** Entries in memory. */
  get size(): number {
    return this.#entries.length - this.#first;
  }

  /** Whether nothing is here, nor on disk, nor on its way from there. */
  get isSpent(): boolean {
    return this.size === 0 && this.#horizon === undefined && this.#meanwhile === undefined;
  }

  /** Reads on if there is reason to, unless it does so already. */
  readOn(): void {
    if (!this.#meanwhile && this.#wanted) this.refill().catch(this.#options.onError);
  }

  add(entry: DueEntry): void {
    this.#meanwhile?.set(entry.id, entry);
    if (!this.#options.handles(entry.jobType)) return;
    if (this.#horizon && comparePlaces(entry, this.#horizon) > 0) return;
    this.#insert(entry);
    const most = this.#options.sizes().high + this.#options.held.size;
    if (this.size > most) {
      this.#entries = this.#entries.slice(this.#first, this.#first + (most >> 1));
      this.#first = 0;
      this.#horizon = horizonBehind(this.#entries);
    }
  }

  /** Removes an entry if it is there. */
  remove(entry: Place): void {
    this.#meanwhile?.set(entry.id, null);
    const at = this.#lowerBound(entry);
    if (this.#entries[at]?.id === entry.id) this.#removeAt(at);
    if (this.isSpent) this.#options.onSpent(this);
  }

  /** Reads on from the horizon until the window is filled, or all is read that may be due soon. */
  async refill(): Promise<void> {
    if (this.#meanwhile) return;
    try {
      for (let from = this.#wanted; from; from = this.#wanted) await this.#readPage(from);
    } finally {
      this.#meanwhile = undefined;
    }
    if (this.isSpent) this.#options.onSpent(this);
    this.#options.onFound();
  }

  /** The horizon, if there is reason to read on from it. */
  get #wanted(): Horizon | undefined {
    const horizon = this.#horizon;
    return horizon && this.#isLow && mayBeSoon(this.#options, horizon) ? horizon : undefined;
  }

  /** Held entries do not count: behind them there must be some to choose from. */
  get #isLow(): boolean {
    return this.size < this.#options.sizes().low + this.#options.held.size;
  }

  async #readPage(horizon: Horizon): Promise<void> {
    const { preload, onFound } = this.#options;
    const meanwhile = this.#meanwhile = new Map();
    let page: DuePage = { jobs: [], end: undefined };
    await preload(async () => {
      page = await readDue(this.#options, this, horizon, this.#options.sizes().page);
      return page.jobs;
    });

    // So much has landed meanwhile that the window was cut: it reads on from there another time.
    if (this.#horizon !== horizon) return;
    this.#horizon = page.end;
    for (const job of page.jobs) if (!meanwhile.has(job.id)) this.#insert(job);
    for (const entry of meanwhile.values()) if (entry) this.add(entry);
    if (page.jobs.length > 0) onFound();
  }

  /** Keeps nothing of it but the entry, though it may be a whole job. */
  #insert({ id, readyAt, jobType, position }: DueEntry): void {
    const entry = { id, readyAt, jobType, ...(position !== undefined && { position }) };
    const last = this.#entries.at(-1);
    if (this.size === 0 || comparePlaces(last!, entry) < 0) {
      this.#entries.push(entry);
      return;
    }
    const at = this.#lowerBound(entry);
    if (this.#entries[at]?.id !== entry.id) this.#entries.splice(at, 0, entry);
  }

  #lowerBound(entry: Place): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePlaces(this.#entries[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #removeAt(at: number): void {
    if (at === this.#first) {
      this.#first += 1;
      if (this.#first > 512 && this.#first * 2 > this.#entries.length) {
        this.#entries = this.#entries.slice(this.#first);
        this.#first = 0;
      }
    } else this.#entries.splice(at, 1);
    this.readOn();
  }
}
