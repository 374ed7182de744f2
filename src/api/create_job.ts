/**
 * `POST /background-jobs`: validates a wish, fills in the defaults and has the job created, once per idempotency key.
 *
 * @module
 */
import canonicalize from "canonicalize";
import { createHash } from "node:crypto";
import { type Backoff, MAX_RETRIES_DEFAULT, QUEUE_DEFAULT } from "../actors/job/job.ts";
import type { Idempotency, Jobs, JobSpec } from "../actors/jobs.ts";
import { readJsonBody } from "./body.ts";
import { API_ROOT, type ApiContext, eventMeta } from "./context.ts";
import { fit, pointerItems } from "./fit.ts";
import { checkPayload, knownJobType } from "./payload_check.ts";
import { doesNotFit, ProblemError } from "./problem.ts";
import { readQuery } from "./query.ts";
import { replyJob } from "./reply.ts";
import type { Route } from "./route.ts";
import { createJobBody, emptyQuery } from "./schemas.ts";

export function createJobRoute(jobs: Jobs, backoffDefault: Backoff): Route {
  return {
    method: "POST",
    path: `${API_ROOT}/background-jobs`,
    scope: "jobs:write",
    answer: async (c) => {
      readQuery(c, emptyQuery);
      const idempotencyKey = readIdempotencyKey(c);
      const body = await readJsonBody(c);
      const fitted = fit(createJobBody, body.value, { part: "field", whole: "body" });
      if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits));
      const wish = fitted.value;

      const type = knownJobType(jobs.jobTypes, wish.job_type);
      const payload = wish.payload ?? {};
      await checkPayload(type, payload, body.bytes);
      const spec: JobSpec = {
        job_type: wish.job_type,
        payload,
        queue: wish.queue ?? QUEUE_DEFAULT,
        priority: wish.priority ?? "normal",
        max_retries: wish.max_retries ?? MAX_RETRIES_DEFAULT,
        scheduled_at: wish.scheduled_at ?? null,
        timeout_seconds: wish.timeout_seconds ?? type.timeoutSeconds,
        backoff: { ...backoffDefault, ...wish.backoff },
        tags: wish.tags ?? [],
      };
      const idempotency = idempotencyKey === undefined
        ? undefined
        : { key: idempotencyKey, bodyHash: hashOf(body.value) } satisfies Idempotency;
      const { job, created } = await jobs.commands.create(spec, eventMeta(c), idempotency);
      return created
        ? replyJob(c, 201, job, { Location: `${API_ROOT}/background-jobs/${job.id}` })
        : replyJob(c, 200, job);
    },
  };
}

function readIdempotencyKey(c: ApiContext): string | undefined {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return undefined;
  if (key.length >= 1 && key.length <= 255) return key;
  throw new ProblemError(422, "An Idempotency-Key has 1 to 255 characters");
}

function hashOf(body: JobSpec["payload"]): string {
  return createHash("sha256").update(canonicalize(body)!).digest("hex");
}
