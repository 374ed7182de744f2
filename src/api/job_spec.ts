/**
 * From what a caller says of a new job to what is created: every check, and every default filled in.
 *
 * @module
 */
import { type Backoff, MAX_RETRIES_DEFAULT } from "../actors/job/job.ts";
import type { JobSpec, JobTypes } from "../actors/jobs.ts";
import { queueFor } from "./bulk_queue.ts";
import { fit, pointerItems } from "./fit.ts";
import { checkPayload, knownJobType } from "./payload_check.ts";
import { doesNotFit } from "./problem.ts";
import { createJobBody } from "./schemas.ts";

/**
 * Answers a promise only where the job type has asynchronous checks.
 *
 * @param bytes Length of the text that the wish came in.
 * @throws {ProblemError} 413 or 422; that may reject the promise.
 */
export type SpecReader = (wish: unknown, bytes: number) => JobSpec | Promise<JobSpec>;

export function specReader(jobTypes: JobTypes, backoffDefault: Backoff): SpecReader {
  return (value, bytes) => {
    const fitted = fit(createJobBody, value, { part: "field", whole: "body" });
    if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits));
    const wish = fitted.value;

    const type = knownJobType(jobTypes, wish.job_type);
    const payload = wish.payload ?? {};
    const spec: JobSpec = {
      job_type: wish.job_type,
      payload,
      queue: queueFor(wish.job_type, wish.queue),
      priority: wish.priority ?? "normal",
      max_retries: wish.max_retries ?? MAX_RETRIES_DEFAULT,
      scheduled_at: wish.scheduled_at ?? null,
      timeout_seconds: wish.timeout_seconds ?? type.timeoutSeconds,
      backoff: { ...backoffDefault, ...wish.backoff },
      tags: wish.tags ?? [],
    };
    const checked = checkPayload(type, payload, bytes);
    return checked ? checked.then(() => spec) : spec;
  };
}
