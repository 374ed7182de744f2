/**
 * Creating many jobs with one command, once for each idempotency key.
 *
 * Each job is created under a key of its own, made of the caller's and its place in the batch. So a repetition finds those that were
 * created and creates those that were not, and what is kept of a key needs no room but the jobs'.
 *
 * @module
 */
import type { Clock } from "../events/clock.ts";
import { UnknownOutcomeError } from "../events/errors.ts";
import type { EventMeta } from "../events/event.ts";
import type { Store } from "../events/store.ts";
import { BatchStaging, type BatchStagingOptions } from "./batch_staging.ts";
import { IdempotencyKeyReusedError, IdempotentJobDeletedError } from "./errors.ts";
import { earlierJob, hashOfKey, newRecord } from "./idempotency.ts";
import { idempotencyKey } from "./job/keys.ts";
import type { JobQueryService } from "./job_query_service.ts";
import type { CreateManyOptions, CreateOutcome, Idempotency, JobSpec } from "./jobs.ts";

export interface BatchCreationOptions extends BatchStagingOptions {
  readonly store: Store;
  readonly queries: JobQueryService;
  readonly clock: Clock;
}

type Outcomes = readonly CreateOutcome[];

export class BatchCreation {
  readonly #options: BatchCreationOptions;
  readonly #staging: BatchStaging;
  /** Batches under way by the hash of their idempotency key; equals that race share the outcome. */
  readonly #racing = new Map<string, { readonly bodyHash: string; readonly outcomes: Promise<Outcomes> }>();

  constructor(options: BatchCreationOptions) {
    this.#options = options;
    this.#staging = new BatchStaging(options);
  }

  /** As in {@linkcode JobCommands.createMany}. */
  createMany(specs: readonly JobSpec[], meta: EventMeta, options: CreateManyOptions = {}): Promise<Outcomes> {
    const { atomic = false, idempotency } = options;
    if (idempotency) return this.#createOnce(specs, meta, atomic, idempotency);
    const jobs = specs.map((spec) => ({ spec, idempotency: null }));
    return atomic ? this.#staging.together(jobs, meta) : this.#staging.each(jobs, meta);
  }

  async #createOnce(
    specs: readonly JobSpec[],
    meta: EventMeta,
    atomic: boolean,
    idempotency: Idempotency,
  ): Promise<Outcomes> {
    const { key, bodyHash } = idempotency;
    const keyHash = hashOfKey(meta.actor, key);
    const racing = this.#racing.get(keyHash);
    if (racing) return await this.#joined(await racing.outcomes, racing.bodyHash === bodyHash);

    const outcomes = this.#createMissing(specs, meta, atomic, idempotency);
    this.#racing.set(keyHash, { bodyHash, outcomes });
    const over = () => this.#racing.delete(keyHash);
    try {
      const unknown = (await outcomes).find(isUnknown);
      // A repetition must not create a job again while it may turn out that it was created.
      if (unknown) unknown.error.settled.then(over);
      else over();
    } catch {
      over();
    }
    return await outcomes;
  }

  /** Creates those that were not created before under their keys. */
  async #createMissing(
    specs: readonly JobSpec[],
    meta: EventMeta,
    atomic: boolean,
    { key, bodyHash }: Idempotency,
  ): Promise<Outcomes> {
    const { clock, log } = this.#options;
    const now = Math.max(clock.now(), log.time);
    const hashes = specs.map((_, i) => hashOfKey(meta.actor, key, i));
    const earlier = await this.#earlier(hashes, bodyHash, now);
    const missing = specs.flatMap((spec, i) =>
      earlier[i] ? [] : [{ spec, idempotency: newRecord(hashes[i]!, bodyHash, now) }]
    );
    const made = missing.length === 0
      ? []
      : await (atomic ? this.#staging.together(missing, meta) : this.#staging.each(missing, meta));
    let next = 0;
    return earlier.map((outcome) => outcome ?? made[next++]!);
  }

  /**
   * What became of those that were created before.
   *
   * @throws {IdempotencyKeyReusedError} If one of them was created by another body.
   */
  async #earlier(
    keyHashes: readonly string[],
    bodyHash: string,
    now: number,
  ): Promise<readonly (CreateOutcome | undefined)[]> {
    const { store, queries } = this.#options;
    const values = await store.getMany(keyHashes.map(idempotencyKey));
    return await Promise.all(values.map(async (value) => {
      try {
        const job = await earlierJob(value, bodyHash, now, queries);
        return job && { job, created: false };
      } catch (error) {
        if (error instanceof IdempotentJobDeletedError) return { error };
        throw error;
      }
    }));
  }

  /** What is told to one that raced: the jobs of the first, as they are now. */
  async #joined(first: Outcomes, sameBody: boolean): Promise<Outcomes> {
    const { queries } = this.#options;
    if (!sameBody) {
      const created = first.find((outcome) => "job" in outcome);
      throw created ? new IdempotencyKeyReusedError(created.job.id) : (first[0] as { error: Error }).error;
    }
    return await Promise.all(
      first.map(async (outcome) =>
        "job" in outcome ? { job: await queries.get(outcome.job.id) ?? outcome.job, created: false } : outcome
      ),
    );
  }
}

function isUnknown(outcome: CreateOutcome): outcome is { readonly error: UnknownOutcomeError } {
  return "error" in outcome && outcome.error instanceof UnknownOutcomeError;
}
