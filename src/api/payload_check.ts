/**
 * Checks a payload against its size limit and the schema of its job type. The payload itself is left as it was sent:
 * defaults and transformations of the schema are the handler's, at each run.
 *
 * @module
 */
import { MAX_PAYLOAD_BYTES } from "../actors/job/job.ts";
import type { JobSpec, JobTypes } from "../actors/jobs.ts";
import { fitAsync, pointerItems, quoted } from "./fit.ts";
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

/** @throws {ProblemError} 413 when it is too large, 422 when it does not fit its type. */
export async function checkPayload(
  type: JobType,
  payload: JobSpec["payload"],
  bodyBytes: number,
): Promise<void> {
  if (bodyBytes > HARMLESS_BODY_BYTES) {
    const bytes = encoder.encode(JSON.stringify(payload)).byteLength;
    if (bytes > MAX_PAYLOAD_BYTES) {
      throw new ProblemError(
        413,
        `The payload has ${bytes} bytes as JSON, at most ${MAX_PAYLOAD_BYTES} are allowed`,
      );
    }
  }
  const fitted = await fitAsync(type.payloadSchema, payload, { part: "field", whole: "payload" })
    // A schema's own code may stumble over a value that it does not expect; that value does not fit.
    .catch((error) => ({ fits: false, misfits: [{ path: [], message: stumbled(error) }] } as const));
  if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits, "/payload"));
}

function stumbled(error: unknown): string {
  return `the payload cannot be checked by its job type: ${error instanceof Error ? error.name : "it threw"}`;
}
