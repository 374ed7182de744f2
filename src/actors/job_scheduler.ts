/**
 * The scheduler: which job is next, and when the next one is due.
 *
 * What waits on disk is the truth. Memory holds, for each queue and priority in which jobs wait, a window of the
 * first thousand or so, of fewer when there are many; a million waiting jobs cost disk, not memory. Highest priority first, oldest first within it; every tenth choice takes
 * the job that has waited longest, whatever its priority, so that none starves.
 *
 * One queue may be reserved: its jobs are chosen for the reserved slot alone, by the same rule, and no others are.
 *
 * @module
 */
import pLimit from "p-limit";
import type { ChangingAppend } from "../events/append.ts";
import type { EventLog } from "../events/event_log.ts";
import type { SlotKind } from "./attempt_slots.ts";
import type { TypeLists } from "./due_by_type.ts";
import { type DueEntry, DueWindow, type DueWindowOptions, type WindowSizes } from "./due_window.ts";
import { JOB_PRIORITIES } from "./job/job.ts";
import type { JobChange } from "./job/projector.ts";
import { isQueued, type JobState } from "./job/state.ts";
import type { FoundJob } from "./stored_jobs.ts";
import { type Lane, lanesOf } from "./waiting_positions.ts";

/** With so many windows or fewer. */
const SIZES: WindowSizes = { page: 500, low: 700, high: 2_000 };
/** Windows that are as large as they may be; of more each is smaller, so that all together hold no more. */
const FULL_WINDOWS = 4;
const SMALLEST_PAGE = 8;
/** So many windows are read at once: commits wait for the store no longer than for these. */
const READS_AT_ONCE = 256;
/** With more jobs at hand their states would crowd one another out. */
const STATES_AT_HAND = 4_000;

/** Every so many choices the one that has waited longest is taken. */
const FAIR_TURN = 10;

export interface JobSchedulerOptions extends TypeLists {
  readonly log: Pick<EventLog<unknown>, "find">;
  /** Whether this process has a handler for the type; other jobs wait. */
  readonly handles: (jobType: string) => boolean;
  /** The `now` that {@linkcode JobScheduler.take} is called with. */
  readonly now: () => number;
  /** Brings the states of jobs that will soon be chosen to hand. */
  readonly preload: (find: () => Promise<readonly FoundJob[]>) => Promise<void>;
  /** Told when more was read from disk: there may be something to take. */
  readonly onFound: () => void;
  /** The queue whose jobs wait for the reserved slot. Default: none. */
  readonly reservedQueue?: string;
  readonly onError: (error: unknown) => void;
  /** How much of what waits is in memory. Default: some thousands of jobs. */
  readonly sizes?: WindowSizes;
}

export class JobScheduler {
  readonly #options: JobSchedulerOptions;
  readonly #windowOptions: DueWindowOptions;
  readonly #waiting: Readonly<Record<SlotKind, Waiting>> = { ordinary: newWaiting(), reserved: newWaiting() };
  /** Jobs whose last attempt has not let go yet. */
  readonly #held = new Set<string>();

  constructor(options: JobSchedulerOptions) {
    this.#options = options;
    const inTurn = pLimit(READS_AT_ONCE);
    this.#windowOptions = {
      ...options,
      held: this.#held,
      sizes: () => this.#sizes,
      onSpent: (lane) => this.#forget(lane),
      preload: (find) => inTurn(() => this.#hasRoomForStates ? options.preload(find) : find().then(() => {})),
    };
  }

  /** Jobs in memory, of all that wait. */
  get atHand(): number {
    let size = 0;
    for (const { windows } of Object.values(this.#waiting)) {
      for (const window of windows.values()) size += window.size;
    }
    return size;
  }

  /**
   * Forgets everything and reads the first window of each priority of these queues, all in which jobs wait that have a
   * handler. Whatever need not wait for the rest can be taken before all are read.
   */
  async load(queues: Iterable<string>): Promise<void> {
    for (const { windows } of Object.values(this.#waiting)) windows.clear();
    const lanes = lanesOf(new Set(queues)).sort((a, b) => b.rank - a.rank);
    const windows = lanes.map(({ queue, rank }) => this.#window(queue, rank, true));
    await Promise.all(windows.map((window) => window.refill()));
  }

  /** Takes note of what landed. */
  landed(appends: readonly ChangingAppend<JobChange>[]): void {
    let first = 0;
    appends.forEach(({ change: { after } }, i) => {
      // What becomes of a job in one go is one move: those that are created while a slot is free never wait.
      if (appends[i + 1]?.change.before === after) return;
      const { before } = appends[first]!.change;
      if (first < i || !staysInPlace(before, after)) this.#move(before, after);
      first = i + 1;
    });
  }

  /** Which slots the queue's jobs run in. */
  kindOf(queue: string): SlotKind {
    return queue === this.#options.reservedQueue ? "reserved" : "ordinary";
  }

  /** Takes the job to start next in a slot of this kind, `undefined` when none is due. */
  take(now: number, kind: SlotKind = "ordinary"): string | undefined {
    const waiting = this.#waiting[kind];
    const fair = (waiting.choices + 1) % FAIR_TURN === 0;
    const best = fair ? this.#longestWaiting(waiting, now) : this.#mostUrgent(waiting, now);
    if (this.#mayBeOnDisk(waiting, now, fair ? undefined : best) || !best) return undefined;
    waiting.choices += 1;
    best.window.remove(best.entry);
    return best.entry.id;
  }

  /** Whether a job that is being created would be chosen before everything that waits. */
  wouldBeNext(now: number, kind: SlotKind = "ordinary"): boolean {
    const waiting = this.#waiting[kind];
    for (const window of waiting.windows.values()) if (window.mustRead(now)) return false;
    return this.#mostUrgent(waiting, now) === undefined;
  }

  /** Counts a choice that was made without {@linkcode take}. */
  chose(kind: SlotKind = "ordinary"): void {
    this.#waiting[kind].choices += 1;
  }

  /** When the next job becomes due or is to be looked for, in milliseconds since the epoch; `undefined` when none is known of. */
  nextDueAt(kind: SlotKind = "ordinary"): number | undefined {
    let next: number | undefined;
    for (const window of this.#waiting[kind].windows.values()) {
      const { nextAt } = window;
      if (nextAt !== undefined && (next === undefined || nextAt < next)) next = nextAt;
    }
    return next;
  }

  /** A job that was taken goes back to its place. */
  giveBack(state: JobState): void {
    if (isQueued(state.phase)) this.#windowOf(state).add(state);
  }

  /** Keeps the job from being chosen until {@linkcode release}. */
  hold(id: string): void {
    this.#held.add(id);
  }

  release(id: string): void {
    this.#held.delete(id);
  }

  #move(before: JobState | null, after: JobState): void {
    if (before && isQueued(before.phase)) this.#windowOf(before).remove(before);
    if (isQueued(after.phase)) this.#windowOf(after).add(after);
  }

  /** Queues come and go, and each choice looks at all windows. */
  #forget(lane: Lane): void {
    const { windows } = this.#waiting[this.kindOf(lane.queue)];
    const id = windowId(lane);
    // Since another load there may be another one.
    if (windows.get(id) === lane) windows.delete(id);
  }

  /** What each window may hold, so that all of them together hold some thousands. */
  get #sizes(): WindowSizes {
    return sizesAmong(this.#waiting.ordinary.windows.size, this.#options.sizes ?? SIZES);
  }

  get #hasRoomForStates(): boolean {
    return this.#sizes.page * this.#waiting.ordinary.windows.size <= STATES_AT_HAND;
  }

  /** Whether a window that has nothing at hand may have a better choice on disk; it is then read, and told of. */
  #mayBeOnDisk({ windows }: Waiting, now: number, best: Choice | undefined): boolean {
    let mayBe = false;
    for (const window of windows.values()) {
      if (window.first() || (best && window.rank < best.window.rank)) continue;
      window.readOn();
      mayBe ||= window.mustRead(now);
    }
    return mayBe;
  }

  #mostUrgent({ windows }: Waiting, now: number): Choice | undefined {
    let best: Choice | undefined;
    for (const window of windows.values()) {
      if (best && window.rank < best.window.rank) continue;
      const entry = window.first();
      if (!entry || entry.readyAt > now) continue;
      if (!best || window.rank > best.window.rank || isBefore(entry, best.entry)) best = { window, entry };
    }
    return best;
  }

  #longestWaiting({ windows }: Waiting, now: number): Choice | undefined {
    let best: Choice | undefined;
    for (const window of windows.values()) {
      const entry = window.first();
      if (entry && entry.readyAt <= now && (!best || isBefore(entry, best.entry))) best = { window, entry };
    }
    return best;
  }

  #windowOf(state: JobState): DueWindow {
    return this.#window(state.queue, JOB_PRIORITIES.indexOf(state.priority));
  }

  /** A queue that was not there when the windows were loaded has nothing on disk but what lands from now on. */
  #window(queue: string, rank: number, unread = false): DueWindow {
    const { windows } = this.#waiting[this.kindOf(queue)];
    const id = windowId({ queue, rank });
    let window = windows.get(id);
    if (!window) windows.set(id, window = new DueWindow(queue, rank, unread, this.#windowOptions));
    return window;
  }
}

/** What waits for slots of one kind. */
interface Waiting {
  readonly windows: Map<string, DueWindow>;
  /** Jobs chosen so far. */
  choices: number;
}

function newWaiting(): Waiting {
  return { windows: new Map(), choices: 0 };
}

function windowId({ queue, rank }: Lane): string {
  return `${rank}${queue}`;
}

function sizesAmong(windows: number, { page, low, high }: WindowSizes): WindowSizes {
  const share = Math.max(Math.min(1, SMALLEST_PAGE / page), Math.min(1, FULL_WINDOWS / windows));
  return { page: Math.ceil(page * share), low: Math.ceil(low * share), high: Math.ceil(high * share) };
}

interface Choice {
  readonly window: DueWindow;
  readonly entry: DueEntry;
}

function staysInPlace(before: JobState | null, after: JobState): boolean {
  return before !== null && isQueued(before.phase) && isQueued(after.phase) &&
    before.readyAt === after.readyAt && before.priority === after.priority && before.queue === after.queue;
}

function isBefore(a: DueEntry, b: DueEntry): boolean {
  return a.readyAt < b.readyAt || (a.readyAt === b.readyAt && a.id < b.id);
}
