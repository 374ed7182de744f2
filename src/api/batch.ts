/**
 * `POST /background-jobs/batch`: has many jobs created with one request.
 *
 * The answer has one result for each of them, in order: `{job}`, or `{error}` with the problem that a single create would
 * have answered. With `"atomic": true` all are created at once, or none.
 *
 * @module
 */
import { IdempotentJobDeletedError } from "../actors/errors.ts";
import type { Backoff } from "../actors/job/job.ts";
import type { CreateOutcome, Jobs } from "../actors/jobs.ts";
import { UnknownOutcomeError } from "../events/errors.ts";
import { type Batch, hashOfBatch, readBatch, type Refused } from "./batch_body.ts";
import { API_ROOT, eventMeta } from "./context.ts";
import { readIdempotencyKey } from "./create_job.ts";
import { problemOf } from "./error_problems.ts";
import { specReader } from "./job_spec.ts";
import { doesNotFit, type Problem, toProblem } from "./problem.ts";
import { refuseQuery } from "./query.ts";
import { replyJson } from "./reply.ts";
import type { Route } from "./route.ts";

export function createBatchRoute(jobs: Jobs, backoffDefault: Backoff): Route {
  const readSpec = specReader(jobs.jobTypes, backoffDefault);
  return {
    method: "POST",
    path: `${API_ROOT}/background-jobs/batch`,
    scope: "jobs:write",
    answer: async (c) => {
      refuseQuery(c);
      const key = readIdempotencyKey(c);
      const batch = await readBatch(c, readSpec);
      if (batch.atomic) requireAllFit(batch);

      const specs = batch.items.filter((item) => "spec" in item).map(({ spec }) => spec);
      const outcomes = specs.length === 0 ? [] : await jobs.commands.createMany(specs, eventMeta(c), {
        atomic: batch.atomic,
        idempotency: key === undefined ? undefined : { key, bodyHash: hashOfBatch(batch) },
      });
      requireAnyLanded(outcomes);
      const repeated = outcomes.length > 0 && outcomes.every(isRepeated);
      return replyJson(c, repeated ? 200 : 201, resultsOf(batch, outcomes));
    },
  };
}

/** Whether an earlier request with the same key created the job, which may have been deleted since. */
function isRepeated(outcome: CreateOutcome): boolean {
  return "job" in outcome ? !outcome.created : outcome.error instanceof IdempotentJobDeletedError;
}

/** Errors that a reply names, over all items. */
const MAX_ERRORS = 100;

/** @throws {ProblemError} Naming every item that does not fit: 413 when all of those are too large, else 422. */
function requireAllFit({ items }: Batch): void {
  const refused = items.filter((item): item is Refused => "refused" in item);
  if (refused.length === 0) return;
  const each = Math.max(1, Math.floor(MAX_ERRORS / refused.length));
  throw doesNotFit(
    refused.flatMap(({ refused: { errors, detail }, pointer }) =>
      errors?.slice(0, each) ?? [{ pointer, message: detail }]
    ),
    refused.every(({ refused }) => refused.status === 413) ? 413 : 422,
  );
}

/**
 * A batch of which nothing landed is answered as a single create is: as not written or, if it may turn out that some of
 * it was, as not known.
 */
function requireAnyLanded(outcomes: readonly CreateOutcome[]): void {
  const errors = outcomes.flatMap((outcome) => "error" in outcome ? [outcome.error] : []);
  if (errors.length < outcomes.length) return;
  const unknown = errors.find((error) => error instanceof UnknownOutcomeError);
  const unavailable = unknown ?? errors.find((error) => problemOf(error)?.status !== 413);
  if (unavailable) throw unavailable;
}

type Result = { readonly job: unknown } | { readonly error: Problem };

function resultsOf({ items }: Batch, outcomes: readonly CreateOutcome[]): Result[] {
  let next = 0;
  return items.map((item) => {
    if ("refused" in item) return { error: toProblem(item.refused) };
    const outcome = outcomes[next++]!;
    if ("job" in outcome) return { job: outcome.job };
    const problem = problemOf(outcome.error);
    if (!problem) throw outcome.error;
    return { error: toProblem(problem) };
  });
}
