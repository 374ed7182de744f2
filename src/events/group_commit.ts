/**
 * Group commit: one commit is under way, whatever arrives meanwhile goes into the next.
 *
 * Deno KV fsyncs each commit and batches nothing of its own; sharing commits is the difference between hundreds and
 * tens of thousands of events a second.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { LogHealth, Projector, StagedAppend } from "./append.ts";
import { inOneGroup, likelyBatch, sealBatch, type SealedBatch } from "./batch.ts";
import { type Clock, DeadlineError, FIRST_PAUSE_MS, longerPause, sleep, withDeadline } from "./clock.ts";
import type { Committer } from "./committer.ts";
import { LogUnavailableError, messageOf, StoreUnreadableError, UnknownOutcomeError } from "./errors.ts";
import type { PendingAppend } from "./pending_append.ts";

export interface GroupCommitOptions<Change> {
  readonly projector: Projector<Change>;
  readonly clock: Clock;
  /** How long one request to the store may take, in milliseconds. */
  readonly deadlineMs: number;
  /** How long callers wait for a doubtful commit to be settled, in milliseconds. */
  readonly unknownAfterMs: number;
  readonly onLanded: (appends: readonly StagedAppend<Change>[]) => void;
  /** Whatever was staged and has not landed never will. */
  readonly onReset: () => void;
  readonly onHealth: (health: LogHealth) => void;
}

/** Fewer appends than this wait for those that the callers just answered will stage. */
const WORTH_A_COMMIT = 24;
/** So many do not wait for those behind them, so that the disk works on them while the thread stages the others. */
const ENOUGH = 64;

export class GroupCommit<Change> {
  readonly #committer: Committer;
  readonly #options: GroupCommitOptions<Change>;
  #waiting: PendingAppend<Change>[] = [];
  #underway: PendingAppend<Change>[] = [];
  #scheduled = false;
  #preparing = false;
  #refusal: Error | undefined;
  #closing = false;
  #settled: PromiseWithResolvers<"landed" | "lost"> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(committer: Committer, options: GroupCommitOptions<Change>) {
    this.#committer = committer;
    this.#options = options;
    committer.onDoubt = (why) => this.#doubt(why);
  }

  /** Why no appends are taken now, if so. */
  get refusal(): Error | undefined {
    return this.#refusal ?? (this.#closing ? new LogUnavailableError("Daybook is stopping") : undefined);
  }

  submit(append: PendingAppend<Change>): void {
    if (this.#waiting.length >= ENOUGH && this.#mayFlush && !belongTogether(this.#waiting.at(-1)!, append)) {
      void this.#flush();
      // A store that throws at once leaves in doubt what this append rests on.
      if (this.#settled) return append.reject(this.#refusal!);
    }
    this.#waiting.push(append);
    this.#schedule(queueMicrotask);
  }

  /** Resolves when everything submitted so far has met its fate. */
  async drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#underway.length > 0) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
    }
  }

  close(): Promise<void> {
    this.#closing = true;
    return this.drain();
  }

  get #mayFlush(): boolean {
    return !this.#preparing && this.#underway.length === 0;
  }

  #schedule(defer: (callback: () => void) => void): void {
    if (this.#scheduled || !this.#mayFlush) return;
    this.#scheduled = true;
    defer(() => {
      this.#scheduled = false;
      if (this.#mayFlush && this.#waiting.length > 0) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const { projector } = this.#options;
    const likely = likelyBatch(this.#waiting);
    let sealed = sealBatch(likely, projector);
    while (sealed instanceof Promise) {
      if (!await this.#prepared(sealed, likely)) return;
      sealed = sealBatch(likely, projector);
    }
    this.#preparing = false;
    this.#underway = this.#waiting.splice(0, sealed.appends.length);
    const fate = await this.#commit(sealed);
    if (fate === "landed") this.#land();
    else this.#lose();
    // The callers just answered get to stage their next appends before the next batch is sealed.
    if (this.#waiting.length > 0) this.#schedule(setImmediate);
    else this.#tellIdle();
  }

  async #commit({ early, puts, deletes }: SealedBatch<Change>): Promise<"landed" | "lost"> {
    for (const portion of early) {
      const fate = await this.#committer.commit({ puts: portion.puts, deletes: [] });
      if (fate === "lost") return await this.#withoutTrace();
    }
    const last = this.#underway.at(-1)!.events.at(-1)!;
    const fate = await this.#committer.commit({ last, puts, deletes });
    return fate === "lost" && early.length > 0 ? await this.#withoutTrace() : fate;
  }

  /** Nobody is told that a batch is lost, and none is taken, as long as some of it is in the store. */
  async #withoutTrace(): Promise<"lost"> {
    // Another process that has taken the log over has removed it.
    for (let pause = FIRST_PAUSE_MS; !this.#committer.fenced; pause = longerPause(pause)) {
      try {
        await this.#undo();
        break;
      } catch (error) {
        // `#doubt` has told why the batch is lost.
        if (!isOfTheStore(error)) reportError(error);
        await sleep(this.#options.clock, pause);
      }
    }
    return "lost";
  }

  async #undo(): Promise<void> {
    const committer = this.#committer;
    for await (const deletes of committer.undoSteps(this.#options.projector)) {
      const fate = await committer.commit({ puts: [], deletes });
      if (fate === "lost") throw new LogUnavailableError("the commit was lost");
    }
  }

  /**
   * Without what it needs no batch is written: everybody is refused until it can be read. Leaves `#preparing` set for a batch
   * that is to be sealed, so that no other is sealed before it.
   */
  async #prepared(preparing: Promise<void>, likely: readonly PendingAppend<Change>[]): Promise<boolean> {
    this.#preparing = true;
    try {
      await this.#inTime(preparing);
      return true;
    } catch (error) {
      this.#doubt(messageOf(error));
      this.#tellIdle();
      await this.#untilReadable(likely, error);
      this.#preparing = false;
      this.#leaveDoubt("lost");
      return false;
    }
  }

  /** What is read but makes no sense stays so: whoever does not need it may go on. */
  async #untilReadable(likely: readonly PendingAppend<Change>[], error: unknown): Promise<void> {
    const { projector, clock } = this.#options;
    for (let pause = FIRST_PAUSE_MS; !this.#closing; pause = longerPause(pause)) {
      await sleep(clock, pause);
      if (!isOfTheStore(error)) return;
      try {
        const sealed = sealBatch(likely, projector);
        if (sealed instanceof Promise) await this.#inTime(sealed);
        return;
      } catch (again) {
        // `#doubt` has told the first cause.
        error = again;
      }
    }
  }

  #inTime(preparing: Promise<void>): Promise<void> {
    const { clock, deadlineMs } = this.#options;
    return withDeadline(clock, deadlineMs, "Reading what the commit rests on", preparing);
  }

  #tellIdle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #land(): void {
    const appends = this.#underway;
    this.#underway = [];
    this.#options.projector.landed();
    // With a good batch waiting, its commit is on its way while the listeners and callers of this one are told.
    if (this.#waiting.length >= WORTH_A_COMMIT) void this.#flush();
    this.#options.onLanded(appends);
    for (const append of appends) append.resolve();
    this.#leaveDoubt("landed");
  }

  #lose(): void {
    // A commit is known to be lost only after a doubt, whose cause is what the callers want to know.
    const error = this.#committer.fenced ?? this.#refusal ?? new LogUnavailableError("the commit was lost");
    const appends = this.#underway;
    this.#underway = [];
    for (const append of appends) append.reject(error);
    this.#leaveDoubt("lost");
  }

  /** A commit's outcome is not known: what waits behind it was decided on sand, and nothing more is taken. */
  #doubt(why: string): void {
    if (this.#settled) return;
    const settled = this.#settled = Promise.withResolvers<"landed" | "lost">();
    this.#refusal = new LogUnavailableError(why);
    const behind = this.#waiting;
    this.#waiting = [];
    for (const append of behind) append.reject(this.#refusal);

    const doubtful = this.#underway;
    const { clock, unknownAfterMs, onHealth } = this.#options;
    const timer = clock.setTimeout(() => {
      for (const append of doubtful) append.reject(new UnknownOutcomeError(settled.promise, why));
    }, unknownAfterMs);
    settled.promise.then(() => clock.clearTimeout(timer));
    onHealth({ ok: false, why });
  }

  #leaveDoubt(fate: "landed" | "lost"): void {
    if (!this.#settled) return;
    const settled = this.#settled;
    this.#settled = undefined;
    const fenced = this.#refusal = this.#committer.fenced;
    this.#options.onReset();
    settled.resolve(fate);
    this.#options.onHealth(fenced ? { ok: false, why: fenced.message } : { ok: true });
  }
}

function isOfTheStore(error: unknown): boolean {
  return error instanceof StoreUnreadableError || error instanceof DeadlineError ||
    error instanceof LogUnavailableError;
}

/** What one job goes through at once is cheaper in one commit, and a group must not be cut. */
function belongTogether(a: PendingAppend<unknown>, b: PendingAppend<unknown>): boolean {
  return a.stream === b.stream || inOneGroup(a, b);
}
