/**
 * The schemas of all bodies and queries of the API: types, validation and description come from here.
 *
 * @module
 */
import { z } from "zod";
import { bulkPayload } from "../actors/bulk_payload.ts";
import * as field from "./fields.ts";

/** `POST /background-jobs` */
export const createJobBody = z.strictObject({
  job_type: z.string(),
  payload: field.payload.exactOptional(),
  priority: field.priority.exactOptional(),
  queue: field.queue.exactOptional(),
  max_retries: field.maxRetries.exactOptional(),
  /** `null`, like leaving it out, is at once. */
  scheduled_at: field.time.nullable().exactOptional(),
  timeout_seconds: field.timeoutSeconds.exactOptional(),
  backoff: field.backoff.exactOptional(),
  tags: field.tags.exactOptional(),
});

/** `POST /background-jobs/batch`: the jobs are checked one by one. */
export const createBatchBody = z.strictObject({
  jobs: z.array(z.unknown()).min(1, { error: "a batch has at least one job" }),
  atomic: z.boolean().exactOptional(),
});

/** `POST /background-jobs/bulk`: the payload of the operation's job. */
export const bulkBody = bulkPayload.extend({
  dry_run: z.boolean().exactOptional(),
});

/** `PATCH /background-jobs/{id}`: what is left out stays as it is. */
export const changeJobBody = createJobBody.omit({ job_type: true }).refine(
  (changes) => Object.keys(changes).length > 0,
  {
    error: "the body must name at least one field to change",
    when: ({ issues }) => issues.length === 0,
  },
);

/** `POST /background-jobs/{id}/cancel` */
export const cancelJobBody = z.strictObject({
  reason: field.reason.exactOptional(),
});

/** Where a body may be sent but has no fields. */
export const emptyBody = z.strictObject({});

/** Where a query has no parameters. */
export const emptyQuery = z.strictObject({});

const limit = field.integerText(1, 500);

/** `GET /background-jobs` */
export const listJobsQuery = z.strictObject({
  status: field.status.exactOptional(),
  job_type: z.string().min(1).max(64).exactOptional(),
  queue: field.queue.exactOptional(),
  priority: field.priority.exactOptional(),
  tag: field.tag.exactOptional(),
  created_after: field.instant.exactOptional(),
  created_before: field.instant.exactOptional(),
  limit: limit.exactOptional(),
  /** Opaque, from the `Link` of the page before. */
  cursor: z.string().exactOptional(),
  /** The moment as of which is asked. */
  at: field.instant.exactOptional(),
});

/** `GET /background-jobs/{id}` */
export const getJobQuery = z.strictObject({
  at: field.instant.exactOptional(),
  /** Seconds to wait for the job to become final. */
  wait: field.secondsText(60).exactOptional(),
});

/** `GET /background-jobs/{id}/events` */
export const jobEventsQuery = z.strictObject({
  /** Version of the last event that is known already. */
  after: field.integerText(0, Number.MAX_SAFE_INTEGER).exactOptional(),
  limit: limit.exactOptional(),
});

export type CreateJobBody = z.output<typeof createJobBody>;
export type ChangeJobBody = z.output<typeof changeJobBody>;
export type ListJobsQuery = z.output<typeof listJobsQuery>;
