/**
 * The jobs that wait since they were created, as bitmaps.
 *
 * They stand in the order of choice as their first events stand in the log, and their ids say where that is. So one bit
 * says all of each, and a commit that creates or starts hundreds of them writes one key or two.
 *
 * @module
 */
import type { Mutations } from "../../events/append.ts";
import type { Store, StoreEntry } from "../../events/store.ts";
import { Bitmap, bitmapNumber, Bitmaps, POSITIONS_PER_BITMAP, type WaitingPlace } from "./bitmaps.ts";
import { JOB_PRIORITIES } from "./job.ts";
import type { JobState } from "./state.ts";
import { waitsSinceCreation } from "./stored.ts";

/** Bitmaps that memory holds, each of some 300 bytes: those that changed last. */
const KEPT = 1_024;

interface Change {
  readonly before: JobState | null;
  readonly after: JobState;
}

export class WaitingJobs {
  readonly #store: Store;
  readonly #kept: number;
  /** As they were last committed. */
  readonly #known = new Bitmaps();
  /** Those from this number on that are not known are empty. */
  #unused = 0;
  /** What the batch under way makes of them. */
  #next = new Bitmaps();
  #asked = 0;

  /** @param kept How many bitmaps memory holds. */
  constructor(store: Store, kept = KEPT) {
    this.#store = store;
    this.#kept = kept;
  }

  /** @param position Of the log's next event. */
  load(position: number): void {
    this.#unused = Math.ceil(position / POSITIONS_PER_BITMAP);
  }

  /**
   * The entries that these changes make, at most one of each job; remembered until {@linkcode landed}. When what they rest on
   * is not at hand, a promise of its being read (`Projector` in `events/append.ts`).
   *
   * @throws {StoreUnreadableError} By the promise, if the store is away.
   * @throws {Error} By the promise, if an entry is damaged.
   */
  project(changes: Iterable<Change>): Mutations | Promise<void> {
    this.#asked += 1;
    this.#next = new Bitmaps();
    let missing: Bitmaps | undefined;
    eachMove(changes, (place, waits) => {
      const bitmap = this.#changing(place);
      if (!bitmap) (missing ??= new Bitmaps()).obtain(place);
      else if (waits) bitmap.add(place.position);
      else bitmap.remove(place.position);
    });
    if (missing) return this.#read([...missing.values()]);
    const changed = [...this.#next.values()];
    return {
      puts: changed.filter((bitmap) => !bitmap.isEmpty).map((bitmap) => bitmap.toEntry()),
      deletes: changed.filter((bitmap) => bitmap.isEmpty).map(({ key }) => key),
    };
  }

  landed(): void {
    for (const bitmap of this.#next.values()) this.#known.put(bitmap);
    this.#next = new Bitmaps();
    for (const { number } of this.#known.dropOldest(this.#kept)) {
      this.#unused = Math.max(this.#unused, number + 1);
    }
  }

  /** `undefined` when it is not at hand what the bitmap was. */
  #changing(place: WaitingPlace): Bitmap | undefined {
    const changing = this.#next.get(place);
    if (changing) return changing;
    const known = this.#known.get(place);
    if (!known && bitmapNumber(place.position) < this.#unused) return undefined;
    const bitmap = known?.copy() ?? Bitmap.emptyAt(place);
    this.#next.put(bitmap);
    return bitmap;
  }

  async #read(bitmaps: readonly Bitmap[]): Promise<void> {
    const asked = this.#asked;
    const values = await this.#store.getMany(bitmaps.map(({ key }) => key));
    // Somebody gave up waiting for this answer, and commits may have landed since.
    if (asked !== this.#asked) return;
    for (const [i, bitmap] of bitmaps.entries()) {
      if (values[i]) bitmap.load(values[i]);
      this.#known.put(bitmap);
    }
  }
}

/** Where the job waits; `undefined` unless it does so since it was created. */
export function waitingPlace(state: JobState): WaitingPlace | undefined {
  if (!waitsSinceCreation(state)) return undefined;
  const { queue, priority, jobType } = state;
  const [position] = (state.origin ?? state).positions;
  return { queue, rank: JOB_PRIORITIES.indexOf(priority), jobType, position: position! };
}

/** The entries of the jobs that wait there. */
export function waitingEntries(places: Iterable<WaitingPlace>): StoreEntry[] {
  const bitmaps = new Bitmaps();
  for (const place of places) bitmaps.obtain(place).add(place.position);
  return [...bitmaps.values()].map((bitmap) => bitmap.toEntry());
}

/** Tells of each place that a job leaves or takes. */
function eachMove(changes: Iterable<Change>, tell: (place: WaitingPlace, waits: boolean) => void): void {
  for (const { before, after } of changes) {
    const from = before ? waitingPlace(before) : undefined;
    const to = waitingPlace(after);
    if (from && to && from.queue === to.queue && from.rank === to.rank) continue;
    if (from) tell(from, false);
    if (to) tell(to, true);
  }
}
