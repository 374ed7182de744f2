/**
 * `POST /background-jobs`: has a job created, once per idempotency key.
 *
 * @module
 */
import canonicalize from "canonicalize";
import { createHash } from "node:crypto";
import type { Backoff } from "../actors/job/job.ts";
import type { Idempotency, Jobs, JobSpec } from "../actors/jobs.ts";
import { readJsonBody } from "./body.ts";
import { API_ROOT, type ApiContext, eventMeta } from "./context.ts";
import { specReader } from "./job_spec.ts";
import { ProblemError } from "./problem.ts";
import { refuseQuery } from "./query.ts";
import { replyJob } from "./reply.ts";
import type { Route } from "./route.ts";

export function createJobRoute(jobs: Jobs, backoffDefault: Backoff): Route {
  const readSpec = specReader(jobs.jobTypes, backoffDefault);
  return {
    method: "POST",
    path: `${API_ROOT}/background-jobs`,
    scope: "jobs:write",
    answer: async (c) => {
      refuseQuery(c);
      const idempotencyKey = readIdempotencyKey(c);
      const body = await readJsonBody(c);
      const idempotency = idempotencyKey === undefined
        ? undefined
        : { key: idempotencyKey, bodyHash: hashOf(body.value) } satisfies Idempotency;
      let spec: JobSpec;
      try {
        spec = await readSpec(body.value, body.bytes);
      } catch (refusal) {
        // It may have fitted when the key was new: job types come and go.
        const earlier = idempotency && await jobs.commands.createdBefore(idempotency, eventMeta(c));
        if (earlier) return replyJob(c, 200, earlier);
        throw refusal;
      }
      const { job, created } = await jobs.commands.create(spec, eventMeta(c), idempotency);
      return created
        ? replyJob(c, 201, job, { Location: `${API_ROOT}/background-jobs/${job.id}` })
        : replyJob(c, 200, job);
    },
  };
}

/** @throws {ProblemError} 422 when it is empty or too long. */
export function readIdempotencyKey(c: ApiContext): string | undefined {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return undefined;
  if (key.length >= 1 && key.length <= 255) return key;
  throw new ProblemError(422, "An Idempotency-Key has 1 to 255 characters");
}

/** What tells one body of an idempotency key from another. */
export function hashOf(body: JobSpec["payload"]): string {
  return createHash("sha256").update(canonicalize(body)!).digest("hex");
}
