/**
 * Keeps bulk operations in their own queue and everything else out of it.
 *
 * @module
 */
import { BULK_OPERATION, BULK_QUEUE, mayBeIn } from "../actors/bulk_job_type.ts";
import { QUEUE_DEFAULT } from "../actors/job/job.ts";
import { fieldDoesNotFit } from "./problem.ts";

/** The queue of a job whose caller named `queue`, or none. @throws {ProblemError} 422 at `/queue`. */
export function queueFor(jobType: string, queue: string | undefined): string {
  if (queue === undefined) return jobType === BULK_OPERATION ? BULK_QUEUE : QUEUE_DEFAULT;
  if (mayBeIn(queue, jobType)) return queue;
  throw fieldDoesNotFit(
    "/queue",
    `queue '${BULK_QUEUE}' is for jobs of type '${BULK_OPERATION}', which can be in no other`,
  );
}
