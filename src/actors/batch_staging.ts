/**
 * Staging many new jobs: each on its own, in portions, or all together.
 *
 * A portion is what one commit could take. While it is being committed the next is staged, and no more than that: whoever else
 * writes meanwhile waits for two commits of a batch, however large it is, and memory holds no more of it in the log's form.
 *
 * @module
 */
import type { StagedAppend } from "../events/append.ts";
import type { EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { AttemptPool } from "./attempt_pool.ts";
import { assertBatchFits, type NewJob } from "./batch_fit.ts";
import { JOB_PRIORITIES } from "./job/job.ts";
import type { JobChange } from "./job/projector.ts";
import { type JobState, toJob } from "./job/state.ts";
import type { JobProcessor } from "./job_processor.ts";
import type { CreateOutcome, JobSpec } from "./jobs.ts";

export interface BatchStagingOptions {
  readonly log: EventLog<JobChange>;
  readonly processor: JobProcessor;
  readonly pool: AttemptPool;
}

interface Staged {
  readonly spec: JobSpec;
  readonly state: JobState;
  readonly append: StagedAppend<JobChange>;
}

type Step = Staged | { readonly error: Error };

/** With a few starts, what one commit takes at most. */
const PORTION_JOBS = 500;
const PORTION_KEYS = 480;
const PORTION_BYTES = 320 * 1024;

export class BatchStaging {
  readonly #options: BatchStagingOptions;

  constructor(options: BatchStagingOptions) {
    this.#options = options;
  }

  /** Creates each job that the log takes. Answers when the fate of all is known, in their order. */
  async each(jobs: readonly NewJob[], meta: EventMeta): Promise<CreateOutcome[]> {
    const portions: Promise<CreateOutcome[]>[] = [];
    for (let next = 0; next < jobs.length;) {
      const portion = this.#stagePortion(jobs, next, meta);
      next += portion.length;
      await portions.at(-1);
      portions.push(fates(portion));
    }
    return (await Promise.all(portions)).flat();
  }

  /**
   * Creates all of the jobs at once, or none.
   *
   * @throws {BatchTooLargeError} If no commit can hold what must land at once.
   * @throws {LogUnavailableError} If the log takes no writes now.
   */
  async together(jobs: readonly NewJob[], meta: EventMeta): Promise<CreateOutcome[]> {
    const { log } = this.#options;
    assertBatchFits(jobs, meta, log.logId);
    const staged = log.together(() => jobs.map((job) => this.#stage(job, meta)));
    this.#offer(staged);
    return await fates(staged);
  }

  #stagePortion(jobs: readonly NewJob[], from: number, meta: EventMeta): Step[] {
    const portion: Step[] = [];
    const staged: Staged[] = [];
    const end = Math.min(jobs.length, from + PORTION_JOBS);
    for (let i = from, bytes = 0, keys = 0; i < end && bytes < PORTION_BYTES && keys < PORTION_KEYS; i++) {
      try {
        const step = this.#stage(jobs[i]!, meta);
        bytes += step.append.events[0]!.bytes.length;
        keys += keysOf(jobs[i]!);
        staged.push(step);
        portion.push(step);
      } catch (error) {
        portion.push({ error: error as Error });
      }
    }
    this.#offer(staged);
    return portion;
  }

  #stage({ spec, idempotency }: NewJob, meta: EventMeta): Staged {
    const { after, append } = this.#options.processor.create({ type: "create", spec, idempotency }, meta);
    return { spec, state: after, append: append! };
  }

  /** They come at the same moment, so free slots go to the most urgent. */
  #offer(staged: readonly Staged[]): void {
    const { pool } = this.#options;
    for (let rank = JOB_PRIORITIES.length - 1; rank >= 0; rank--) {
      const priority = JOB_PRIORITIES[rank]!;
      for (const { spec, state } of staged) if (spec.priority === priority) pool.offer(state);
    }
  }
}

/** Keys that the job has for itself, if it does not start at once. */
function keysOf({ spec: { tags, scheduled_at }, idempotency }: NewJob): number {
  return tags.length + (scheduled_at === null ? 0 : 2) + (idempotency === null ? 0 : 2);
}

/** What becomes of steps that were taken at one go. */
async function fates(steps: readonly Step[]): Promise<CreateOutcome[]> {
  const last = steps.findLast((step) => "append" in step);
  try {
    // What is staged lands in its order, and whatever was staged behind a loss is lost with it.
    await last?.append.landed;
    return steps.map((step) => "append" in step ? created(step) : step);
  } catch {
    return await Promise.all(steps.map(async (step) => {
      if (!("append" in step)) return step;
      return await step.append.landed.then(() => created(step), (error: Error) => ({ error }));
    }));
  }
}

/** The job as it was created, even if it has been started in the same commit. */
function created({ state, spec }: Staged): CreateOutcome {
  return { job: toJob(state, spec.payload, null), created: true };
}
