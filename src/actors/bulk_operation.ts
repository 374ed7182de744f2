/**
 * Bulk operations: a job that cancels, retries or deletes the jobs that a filter names.
 *
 * It acts at most once on a job, and on none that was created after it began. Each event that it causes names the
 * operation as its cause, so after a crash or a stop the log tells what was done, and the next attempt does the rest.
 *
 * @module
 */
import type { EventEnvelope, EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import { firstIdAt } from "../events/ids.ts";
import type { HandlerContext, JobHandler } from "../handlers/handler.ts";
import { BULK_OPERATION, type BulkAction } from "./bulk_job_type.ts";
import { type BulkPayload, bulkPayload } from "./bulk_payload.ts";
import { isSelected, knownCount, PAGE, selectedJobs, type SelectionOptions } from "./bulk_selection.ts";
import { ChangedMeanwhile } from "./changed_meanwhile.ts";
import { isRefusal } from "./errors.ts";
import { ATTEMPT_ENDS } from "./job/events.ts";
import type { JobChange } from "./job/projector.ts";
import type { JobState } from "./job/state.ts";
import { type JobListSources, matches } from "./job_list.ts";
import type { JobProcessor } from "./job_processor.ts";
import type { JobStates } from "./job_states.ts";
import type { JobQueries } from "./jobs.ts";
import { walkedShare } from "./walked_share.ts";

export interface BulkOperationParts {
  readonly log: EventLog<JobChange>;
  readonly sources: JobListSources;
  readonly states: JobStates;
  readonly processor: JobProcessor;
  readonly queries: JobQueries;
}

/** `matched` is the sum of the other three. After a resume only `changed` counts what earlier attempts did, too. */
export interface BulkResult {
  readonly status: "success";
  readonly action: BulkAction;
  readonly matched: number;
  readonly changed: number;
  /** Their cancel was asked for already. */
  readonly unchanged: number;
  /** They changed before it was their turn, so that the filter or the action does not fit them any more. */
  readonly refused: number;
  readonly duration_ms: number;
}

type Fate = "changed" | "unchanged" | "refused";

/** A million jobs take minutes. */
const TIMEOUT_SECONDS = 86_400;
const LOG_PAGE = 1_000;
const DONE: Readonly<Record<BulkAction, string>> = {
  cancel: "cancelled",
  retry: "retried",
  delete: "deleted",
};

export function bulkOperation(parts: BulkOperationParts): JobHandler<BulkPayload, BulkResult> {
  return {
    jobType: BULK_OPERATION,
    payloadSchema: bulkPayload,
    timeoutSeconds: TIMEOUT_SECONDS,
    run: async (payload, context) => {
      const began = performance.now();
      const tally = await new BulkRun(parts, payload, context, await originOf(parts, context.jobId)).run();
      const { changed, unchanged, refused } = tally;
      return {
        status: "success",
        action: payload.action,
        matched: changed + unchanged + refused,
        ...tally,
        duration_ms: Math.round(performance.now() - began),
      };
    },
  };
}

/** Where the operation comes from: the event that created it, and the first id that it leaves alone. */
interface Origin {
  readonly event: EventEnvelope;
  readonly endId: string;
  /** Position of its first `job.started`. */
  readonly began: number;
}

/** It began with its first attempt, which may be long after it was created, or long before this one. */
async function originOf({ queries }: BulkOperationParts, jobId: string): Promise<Origin> {
  const history = await queries.history(jobId, 0, 100) ?? [];
  const started = history.find(({ type }) => type === "job.started");
  const startId = firstIdAt(started ? Date.parse(started.time) : 0);
  const event = history[0]!;
  return {
    event,
    endId: startId > jobId ? startId : jobId,
    began: started?.position ?? event.position,
  };
}

class BulkRun {
  readonly #parts: BulkOperationParts;
  readonly #payload: BulkPayload;
  readonly #context: HandlerContext;
  readonly #origin: Origin;
  readonly #range: SelectionOptions;
  readonly #cause: string;
  readonly #meta: EventMeta;
  readonly #tally = { changed: 0, unchanged: 0 };
  /** A job may fit again when it is looked at once more. */
  readonly #refused = new Set<string>();
  /** How many jobs it is about, as far as is known; `undefined` when no counter knows. */
  #total: number | undefined;
  /** Which share of the log the walk has passed, 0 to 1. */
  #walked = 0;

  constructor(parts: BulkOperationParts, payload: BulkPayload, context: HandlerContext, origin: Origin) {
    this.#parts = parts;
    this.#payload = payload;
    this.#context = context;
    this.#origin = origin;
    this.#range = { signal: context.signal, before: origin.endId };
    this.#cause = String(origin.event.position);
    this.#meta = {
      actor: origin.event.actor,
      request_id: origin.event.request_id,
      causation_id: this.#cause,
      reason: payload.reason ?? null,
    };
  }

  async run(): Promise<Record<Fate, number>> {
    const { sources, log } = this.#parts;
    const { action } = this.#payload;
    const isFirst = this.#context.attempt === 1;
    if (!isFirst) await this.#countBefore();
    const known = knownCount(sources, this.#payload);
    if (known !== undefined) this.#total = this.#tally.changed + known;
    this.#report();

    using meanwhile = action === "cancel" ? new ChangedMeanwhile(log, (state) => this.#isLeft(state)) : null;
    await this.#walk(isFirst);
    while (meanwhile && await this.#cancelMissed(meanwhile.take()) > 0);
    this.#context.progress(100, `${grouped(this.#tally.changed)} of ${grouped(this.#seen)} ${this.#done}`);
    return { ...this.#tally, refused: this.#refused.size };
  }

  /** Told before the walk, since the operation may be stopped during it. */
  async #countBefore(): Promise<void> {
    this.#context.progress(0, "counting what earlier attempts did");
    this.#tally.changed = await this.#changedBefore();
  }

  get #done(): string {
    return DONE[this.#payload.action];
  }

  /** @param isFirst Whether no job can have met this operation before. */
  async #walk(isFirst: boolean): Promise<void> {
    const { sources, log } = this.#parts;
    const shareDownTo = await walkedShare(log, this.#payload.filter, this.#origin.began);
    const onWalked = (downTo: string) => {
      this.#walked = shareDownTo(downTo);
      this.#report();
    };
    for await (const page of selectedJobs(sources, this.#payload, { ...this.#range, onWalked })) {
      const meant = await this.#meant(page);
      await this.#actOn(isFirst ? meant : await this.#untouched(meant));
    }
    this.#walked = 1;
  }

  /** A job that was started, or went back to wait, while a page was read may have been in none of its lists. */
  async #cancelMissed(ids: readonly string[]): Promise<number> {
    this.#context.signal.throwIfAborted();
    const before = this.#tally.changed;
    for (let i = 0; i < ids.length; i += PAGE) {
      const states = await this.#committed(ids.slice(i, i + PAGE));
      const left = states.filter((state) => state !== null).filter((state) => this.#isLeft(state));
      await this.#actOn(await this.#untouched(await this.#meant(left)));
    }
    return this.#tally.changed - before;
  }

  async #committed(ids: readonly string[]): Promise<(JobState | null)[]> {
    const { states } = this.#parts;
    await states.preload(() => Promise.resolve(ids.map((id) => ({ id }))));
    return await Promise.all(ids.map((id) => states.committed(id)));
  }

  /** Whether the operation is about the job, and nobody has asked for its cancel. */
  #isLeft(state: JobState): boolean {
    return state.id < this.#origin.endId && state.cancelRequestedAt === null &&
      isSelected(state, this.#payload);
  }

  /**
   * A cancel frees slots, in which further jobs start. Of a filter that names those that are being processed only the ones
   * that were so already are meant, or it would chase all that wait.
   */
  async #meant(page: readonly JobState[]): Promise<readonly JobState[]> {
    return this.#payload.filter.status === "processing" ? await this.#thoseThatRan(page) : page;
  }

  async #thoseThatRan(page: readonly JobState[]): Promise<JobState[]> {
    const ran = await Promise.all(page.map(async ({ id, version }) => {
      const history = await this.#parts.queries.history(id, 0, version) ?? [];
      const before = history.filter(({ position }) => position < this.#origin.began);
      const last = before.findLast(({ type }) => type === "job.started" || ATTEMPT_ENDS.has(type));
      return last?.type === "job.started";
    }));
    return page.filter((_, i) => ran[i]);
  }

  /** All at once, so that they share commits. */
  async #actOn(page: readonly JobState[]): Promise<void> {
    this.#context.signal.throwIfAborted();
    const ids = page.map(({ id }) => id);
    await this.#parts.states.preload(() => Promise.resolve(page.map(({ id }) => ({ id }))));
    const fates = await Promise.all(ids.map((id) => this.#act(id)));
    fates.forEach((fate, i) => {
      if (fate === "refused") return void this.#refused.add(ids[i]!);
      this.#refused.delete(ids[i]!);
      this.#tally[fate] += 1;
    });
    this.#report();
  }

  async #act(id: string): Promise<Fate> {
    const { action, filter } = this.#payload;
    try {
      const { append } = await this.#parts.processor.execute(
        id,
        { type: action },
        this.#meta,
        (state) => matches(state, filter),
      );
      return append ? "changed" : "unchanged";
    } catch (error) {
      if (isRefusal(error)) return "refused";
      throw error;
    }
  }

  /** Those that this operation has not acted on. Only a job with an event since the operation was created needs a look. */
  async #untouched(page: readonly JobState[]): Promise<readonly JobState[]> {
    const touched = await Promise.all(
      page.map((state) => state.positions.at(-1)! > this.#origin.event.position && this.#hasTouched(state)),
    );
    return page.filter((_, i) => !touched[i]);
  }

  async #hasTouched({ id, version }: JobState): Promise<boolean> {
    const history = await this.#parts.queries.history(id, 0, version);
    return history?.some(({ causation_id }) => causation_id === this.#cause) ?? false;
  }

  /** How many jobs earlier attempts changed. */
  async #changedBefore(): Promise<number> {
    const { log } = this.#parts;
    const end = log.position;
    let changed = 0;
    for (let from = this.#origin.event.position + 1; from < end; from += LOG_PAGE) {
      this.#context.signal.throwIfAborted();
      for (const { event } of await log.read(from, Math.min(LOG_PAGE, end - from))) {
        // The operation's own history answers its creation too.
        const isOwn = event.stream === this.#origin.event.stream;
        if (event.causation_id === this.#cause && !isOwn) changed += 1;
      }
    }
    return changed;
  }

  get #seen(): number {
    return this.#tally.changed + this.#tally.unchanged + this.#refused.size;
  }

  #report(): void {
    const [changed, seen, total] = [this.#tally.changed, this.#seen, this.#total];
    if (total === undefined) {
      this.#context.progress(rounded(100 * this.#walked), `${grouped(changed)} ${this.#done} so far`);
      return;
    }
    // Jobs that come or go meanwhile make the count at the start an estimate.
    const all = Math.max(total, seen);
    const note = `${grouped(changed)} of ${grouped(all)} ${this.#done}`;
    this.#context.progress(all === 0 ? 0 : rounded(100 * seen / all), note);
  }
}

function rounded(percent: number): number {
  return Math.round(10 * percent) / 10;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
