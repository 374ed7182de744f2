/**
 * The job commands behind the HTTP interface.
 *
 * @module
 */
import type { Clock } from "../events/clock.ts";
import { UnknownOutcomeError } from "../events/errors.ts";
import type { EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { Store } from "../events/store.ts";
import type { AttemptPool } from "./attempt_pool.ts";
import { BatchCreation } from "./batch_creation.ts";
import { IdempotencyKeyReusedError } from "./errors.ts";
import { earlierJob, hashOfKey, newRecord } from "./idempotency.ts";
import type { IdempotencyRecord } from "./job/events.ts";
import { idempotencyKey } from "./job/keys.ts";
import type { Job } from "./job/job.ts";
import type { JobChange } from "./job/projector.ts";
import { type JobState, toJob } from "./job/state.ts";
import type { JobQueryService } from "./job_query_service.ts";
import type { JobProcessor } from "./job_processor.ts";
import type {
  CreateManyOptions,
  CreateOutcome,
  Idempotency,
  JobChanges,
  JobCommands,
  JobSpec,
} from "./jobs.ts";

export interface JobCommandServiceOptions {
  readonly log: EventLog<JobChange>;
  readonly store: Store;
  readonly processor: JobProcessor;
  readonly queries: JobQueryService;
  readonly pool: AttemptPool;
  readonly clock: Clock;
}

export class JobCommandService implements JobCommands {
  readonly #options: JobCommandServiceOptions;
  readonly #batches: BatchCreation;
  /** Creations under way by the hash of their idempotency key; equals that race wait for the one commit. */
  readonly #racing = new Map<string, { readonly bodyHash: string; readonly created: Promise<Job> }>();

  constructor(options: JobCommandServiceOptions) {
    this.#options = options;
    this.#batches = new BatchCreation(options);
  }

  create(
    spec: JobSpec,
    meta: EventMeta,
    idempotency?: Idempotency,
  ): Promise<{ job: Job; created: boolean }> {
    return idempotency
      ? this.#createOnce(spec, meta, idempotency)
      : this.#create(spec, meta, null).then((job) => ({ job, created: true }));
  }

  createdBefore({ key, bodyHash }: Idempotency, meta: EventMeta): Promise<Job | undefined> {
    return this.#earlier(hashOfKey(meta.actor, key), bodyHash, this.#now);
  }

  createMany(
    specs: readonly JobSpec[],
    meta: EventMeta,
    options?: CreateManyOptions,
  ): Promise<readonly CreateOutcome[]> {
    return this.#batches.createMany(specs, meta, options);
  }

  async update(id: string, changes: JobChanges, meta: EventMeta, expectedVersion?: number): Promise<Job> {
    const { after } = await this.#options.processor.execute(
      id,
      { type: "update", changes },
      meta,
      expectedVersion,
    );
    return await this.#options.queries.show(after);
  }

  async cancel(
    id: string,
    meta: EventMeta,
    expectedVersion?: number,
  ): Promise<{ job: Job; pending: boolean }> {
    const { after } = await this.#options.processor.execute(id, { type: "cancel" }, meta, expectedVersion);
    return {
      job: await this.#options.queries.show(after),
      pending: after.phase === "processing.cancelling",
    };
  }

  async retry(id: string, meta: EventMeta, expectedVersion?: number): Promise<Job> {
    const { after } = await this.#options.processor.execute(id, { type: "retry" }, meta, expectedVersion);
    return await this.#options.queries.show(after);
  }

  async delete(id: string, meta: EventMeta, expectedVersion?: number): Promise<void> {
    await this.#options.processor.execute(id, { type: "delete" }, meta, expectedVersion);
  }

  async #create(spec: JobSpec, meta: EventMeta, idempotency: IdempotencyRecord | null): Promise<Job> {
    const { processor, pool } = this.#options;
    const { after, append } = processor.create({ type: "create", spec, idempotency }, meta);
    pool.offer(after);
    await append!.landed;
    return createdJob(after, spec);
  }

  get #now(): number {
    return Math.max(this.#options.clock.now(), this.#options.log.time);
  }

  async #earlier(keyHash: string, bodyHash: string, now: number): Promise<Job | undefined> {
    const { store, queries } = this.#options;
    const { value } = await store.get(idempotencyKey(keyHash));
    return await earlierJob(value, bodyHash, now, queries);
  }

  async #createOnce(
    spec: JobSpec,
    meta: EventMeta,
    { key, bodyHash }: Idempotency,
  ): Promise<{ job: Job; created: boolean }> {
    const { queries } = this.#options;
    const keyHash = hashOfKey(meta.actor, key);
    const racing = this.#racing.get(keyHash);
    if (racing) {
      const first = await racing.created;
      if (racing.bodyHash !== bodyHash) throw new IdempotencyKeyReusedError(first.id);
      return { job: await queries.get(first.id) ?? first, created: false };
    }

    const known = Promise.withResolvers<Job>();
    known.promise.catch(() => {});
    this.#racing.set(keyHash, { bodyHash, created: known.promise });
    const over = () => this.#racing.delete(keyHash);
    try {
      const now = this.#now;
      const earlier = await this.#earlier(keyHash, bodyHash, now);
      const job = earlier ?? await this.#create(spec, meta, newRecord(keyHash, bodyHash, now));
      known.resolve(job);
      over();
      return { job, created: !earlier };
    } catch (error) {
      known.reject(error);
      // A repetition must not create another job while it may turn out that this one was created.
      if (error instanceof UnknownOutcomeError) error.settled.then(over);
      else over();
      throw error;
    }
  }
}

/** A new job as it was created, even if it has been started in the same commit. */
function createdJob(state: JobState, spec: JobSpec): Job {
  return toJob(state, spec.payload, null);
}
