/**
 * `POST /background-jobs/bulk`: cancels, retries or deletes all jobs that a filter names.
 *
 * With `"dry_run": true` it only tells how many. Otherwise it starts an operation, which is a job of type
 * `bulk_operation`: whatever shows, follows or cancels a job does so with it.
 *
 * @module
 */
import type { z } from "zod";
import { BULK_OPERATION } from "../actors/bulk_job_type.ts";
import type { Backoff } from "../actors/job/job.ts";
import type { BulkSelection, Jobs } from "../actors/jobs.ts";
import { type JsonBody, readJsonBody } from "./body.ts";
import { API_ROOT, type ApiContext, eventMeta } from "./context.ts";
import { hashOf, readIdempotencyKey } from "./create_job.ts";
import { fit, pointerItems } from "./fit.ts";
import { specReader } from "./job_spec.ts";
import { doesNotFit, ProblemError, RETRY_AFTER_SECONDS } from "./problem.ts";
import { refuseQuery } from "./query.ts";
import { replyJob, replyJson } from "./reply.ts";
import type { Route } from "./route.ts";
import { bulkBody } from "./schemas.ts";
import { untilAny } from "./until.ts";

/** `stopping` ends the counting of dry runs. */
export function bulkRoute(jobs: Jobs, backoffDefault: Backoff, stopping: AbortSignal): Route {
  const readSpec = specReader(jobs.jobTypes, backoffDefault);
  return {
    method: "POST",
    path: `${API_ROOT}/background-jobs/bulk`,
    scope: "jobs:write",
    answer: async (c) => {
      refuseQuery(c);
      const key = readIdempotencyKey(c);
      const body = await readJsonBody(c);
      const wish = readWish(body);
      if (!wish.dry_run) return await start(c, body, key);
      const { action, filter } = body.value;
      return replyJson(c, 200, { action, filter, dry_run: true, count: await count(c, wish) });
    },
  };

  async function start(c: ApiContext, body: JsonBody, key: string | undefined): Promise<Response> {
    const { dry_run: _, ...payload } = body.value;
    const spec = await readSpec({ job_type: BULK_OPERATION, payload }, body.bytes);
    const idempotency = key === undefined ? undefined : { key, bodyHash: hashOf(body.value) };
    const { job, created } = await jobs.commands.create(spec, eventMeta(c), idempotency);
    return created
      ? replyJob(c, 202, job, { Location: `${API_ROOT}/background-jobs/${job.id}` })
      : replyJob(c, 200, job);
  }

  async function count(c: ApiContext, selection: BulkSelection): Promise<number> {
    using until = untilAny(c.req.raw.signal, stopping);
    try {
      return await jobs.bulk.count(selection, until.signal);
    } catch (error) {
      if (!until.signal.aborted) throw error;
      throw new ProblemError(503, "The jobs were not counted to the end: Daybook is stopping", {
        "Retry-After": String(RETRY_AFTER_SECONDS),
      });
    }
  }
}

function readWish({ value }: JsonBody): z.output<typeof bulkBody> {
  const fitted = fit(bulkBody, value, { part: "field", whole: "body" });
  if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits));
  return fitted.value;
}
