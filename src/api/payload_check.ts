/**
 * Checks a payload against its size limit and the schema of its job type. The payload itself is left as it was sent:
 * defaults and transformations of the schema are the handler's, at each run.
 *
 * @module
 */
import { MAX_PAYLOAD_BYTES } from "../actors/job/job.ts";
import type { JobSpec, JobTypes } from "../actors/jobs.ts";
import { type Fit, fitPayload, pointerItems, quoted } from "./fit.ts";
import { doesNotFit, fieldDoesNotFit, ProblemError } from "./problem.ts";

type JobType = NonNullable<ReturnType<JobTypes["get"]>>;

/**
 * A body of this size holds no payload over the limit. Written anew, JSON grows by less than six times
 * (`1e20,` becomes 22 characters).
 */
const HARMLESS_BODY_BYTES = MAX_PAYLOAD_BYTES / 6;

const encoder = new TextEncoder();

/** @throws {ProblemError} 422 `Unknown job type: '…'` at `pointer`. */
export function knownJobType(jobTypes: JobTypes, jobType: string, pointer = "/job_type"): JobType {
  const known = jobTypes.get(jobType);
  if (known) return known;
  throw fieldDoesNotFit(pointer, `Unknown job type: ${quoted(jobType)}`);
}

/**
 * Answers a promise only for a schema with asynchronous checks.
 *
 * @throws {ProblemError} 413 when it is too large, 422 when it does not fit its type; that may reject the promise.
 */
export function checkPayload(
  type: JobType,
  payload: JobSpec["payload"],
  bodyBytes: number,
): void | Promise<void> {
  if (bodyBytes > HARMLESS_BODY_BYTES) checkSize(payload);
  try {
    const fitted = fitPayload(type.payloadSchema, payload, { part: "field", whole: "payload" });
    if (!(fitted instanceof Promise)) return requireFit(fitted);
    return fitted.catch(stumbled).then(requireFit);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    requireFit(stumbled(error));
  }
}

function checkSize(payload: JobSpec["payload"]): void {
  const text = JSON.stringify(payload);
  // A character has at most three bytes for each of its UTF-16 units.
  if (3 * text.length <= MAX_PAYLOAD_BYTES) return;
  const bytes = encoder.encode(text).byteLength;
  if (bytes <= MAX_PAYLOAD_BYTES) return;
  throw new ProblemError(
    413,
    `The payload has ${bytes} bytes as JSON, at most ${MAX_PAYLOAD_BYTES} are allowed`,
  );
}

function requireFit(fitted: Fit<unknown>): void {
  if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits, "/payload"));
}

/** A schema's own code may stumble over a value that it does not expect; that value does not fit. */
function stumbled(error: unknown): Fit<unknown> {
  const name = error instanceof Error ? error.name : "it threw";
  return {
    fits: false,
    misfits: [{ path: [], message: `the payload cannot be checked by its job type: ${name}` }],
  };
}
