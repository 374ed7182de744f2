/**
 * What a bulk operation is told: the payload of its job, and the body of the request that starts one.
 *
 * @module
 */
import { z } from "zod";
import { BULK_ACTIONS } from "./bulk_job_type.ts";
import * as field from "./job_fields.ts";
import type { BulkSelection, JobFilter } from "./jobs.ts";

export interface BulkPayload extends BulkSelection {
  /** Written into every event that the operation causes. */
  readonly reason?: string;
}

/** Must be given; `{}` stands for all jobs. */
const filter = z.strictObject({
  status: field.status.exactOptional(),
  job_type: z.string().min(1).max(64).exactOptional(),
  queue: field.queue.exactOptional(),
  priority: field.priority.exactOptional(),
  tag: field.tag.exactOptional(),
  created_after: field.instant.exactOptional(),
  created_before: field.instant.exactOptional(),
}).transform(({ created_after, created_before, ...same }): JobFilter => ({
  ...same,
  ...(created_after !== undefined && { createdAfter: created_after }),
  ...(created_before !== undefined && { createdBefore: created_before }),
}));

export const bulkPayload = z.strictObject({
  action: z.enum(BULK_ACTIONS),
  filter,
  reason: field.reason.exactOptional(),
});
