/**
 * `/background-jobs/{id}`: read, change, delete, cancel and retry one job.
 *
 * @module
 */
import type { z } from "zod";
import { JobNotFoundError } from "../actors/errors.ts";
import type { Job } from "../actors/job/job.ts";
import type { JobChanges, Jobs } from "../actors/jobs.ts";
import { readJsonBody, readOptionalJsonBody } from "./body.ts";
import { queueFor } from "./bulk_queue.ts";
import { API_ROOT, type ApiContext, eventMeta } from "./context.ts";
import { expectedVersion } from "./etag.ts";
import { fit, pointerItems } from "./fit.ts";
import { jobIdOf } from "./job_id.ts";
import { checkPayload, knownJobType } from "./payload_check.ts";
import { doesNotFit } from "./problem.ts";
import { readQuery, refuseQuery } from "./query.ts";
import { replyEmpty, replyJob } from "./reply.ts";
import type { Route } from "./route.ts";
import { cancelJobBody, changeJobBody, emptyBody, getJobQuery } from "./schemas.ts";
import { untilAny } from "./until.ts";

const PATH = `${API_ROOT}/background-jobs/:id`;

/** `stopping` ends the waiting of those who wait for a job. */
export function jobRoutes(jobs: Jobs, stopping: AbortSignal): readonly Route[] {
  const { commands, queries } = jobs;

  return [
    {
      method: "GET",
      path: PATH,
      scope: "jobs:read",
      answer: async (c) => {
        const { wait, at } = readQuery(c, getJobQuery);
        const id = jobIdOf(c);
        if (at !== undefined) {
          if (wait === undefined) return replyJob(c, 200, await jobs.asOf.get(id, at));
          throw doesNotFit([{
            parameter: "wait",
            message: "what was at a moment in the past cannot be waited for",
          }]);
        }
        const job = wait ? await waitForJob(c, id, wait * 1000) : await queries.get(id);
        return replyJob(c, 200, found(job, id));
      },
    },
    {
      method: "PATCH",
      path: PATH,
      scope: "jobs:write",
      answer: async (c) => {
        refuseQuery(c);
        const id = jobIdOf(c);
        const changes = await readChanges(c, id);
        const job = await commands.update(id, changes, eventMeta(c), await expectedVersion(c, queries, id));
        return replyJob(c, 200, job);
      },
    },
    {
      method: "DELETE",
      path: PATH,
      scope: "jobs:write",
      answer: async (c) => {
        await readFields(c, emptyBody);
        const id = jobIdOf(c);
        await commands.delete(id, eventMeta(c), await expectedVersion(c, queries, id));
        return replyEmpty(c);
      },
    },
    {
      method: "POST",
      path: `${PATH}/cancel`,
      scope: "jobs:write",
      answer: async (c) => {
        const { reason } = await readFields(c, cancelJobBody);
        const id = jobIdOf(c);
        const meta = eventMeta(c, reason ?? null);
        const { job, pending } = await commands.cancel(id, meta, await expectedVersion(c, queries, id));
        return replyJob(c, pending ? 202 : 200, job);
      },
    },
    {
      method: "POST",
      path: `${PATH}/retry`,
      scope: "jobs:write",
      answer: async (c) => {
        await readFields(c, emptyBody);
        const id = jobIdOf(c);
        const job = await commands.retry(id, eventMeta(c), await expectedVersion(c, queries, id));
        return replyJob(c, 200, job);
      },
    },
  ];

  async function waitForJob(c: ApiContext, id: string, timeoutMs: number): Promise<Job | undefined> {
    using until = untilAny(c.req.raw.signal, stopping);
    try {
      return await queries.waitUntilFinal(id, timeoutMs, until.signal);
    } catch (error) {
      if (!until.signal.aborted) throw error;
      return await queries.get(id);
    }
  }

  async function readChanges(c: ApiContext, id: string): Promise<JobChanges> {
    const body = await readJsonBody(c);
    const fitted = fit(changeJobBody, body.value, { part: "field", whole: "body" });
    if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits));
    const { payload, backoff, ...changes } = fitted.value;
    // Only these three can be judged, or filled in, by what the job is.
    if (payload === undefined && backoff === undefined && changes.queue === undefined) return changes;
    const job = found(await queries.get(id), id);
    if (changes.queue !== undefined) queueFor(job.job_type, changes.queue);
    if (payload !== undefined) {
      await checkPayload(knownJobType(jobs.jobTypes, job.job_type, "/payload"), payload, body.bytes);
    }
    return {
      ...changes,
      ...(payload !== undefined && { payload }),
      ...(backoff !== undefined && { backoff: { ...job.backoff, ...backoff } }),
    };
  }
}

async function readFields<T>(c: ApiContext, schema: z.ZodType<T>): Promise<T> {
  refuseQuery(c);
  const fitted = fit(schema, (await readOptionalJsonBody(c)).value, { part: "field", whole: "body" });
  if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits));
  return fitted.value;
}

function found(job: Job | undefined, id: string): Job {
  if (job) return job;
  throw new JobNotFoundError(id);
}
