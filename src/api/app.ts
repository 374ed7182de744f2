/**
 * The HTTP interface as one Hono app: who may come in, which routes there are, and how a refusal looks.
 *
 * No input gets a 5xx: those are left to a log that takes no writes (503) and to mistakes of ours (500), which are
 * logged with the request's id and told nobody else.
 *
 * @module
 */
import { Hono } from "hono";
import type { Backoff } from "../actors/job/job.ts";
import type { Jobs } from "../actors/jobs.ts";
import { type AuditParts, auditRoutes } from "./audit.ts";
import { authenticate, requireScope } from "./authorization.ts";
import { jobRoutes } from "./background_job.ts";
import { listJobsRoute } from "./background_jobs.ts";
import { createBatchRoute } from "./batch.ts";
import { bulkRoute } from "./bulk.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { createJobRoute } from "./create_job.ts";
import { problemOf } from "./error_problems.ts";
import { healthRoutes } from "./health.ts";
import { jobEventsRoute } from "./job_events.ts";
import { pathPattern } from "./job_id.ts";
import { noSuchPath, ProblemError, replyProblem } from "./problem.ts";
import { RememberingRouter } from "./remembering_router.ts";
import type { Route } from "./route.ts";
import { statsRoute } from "./stats.ts";
import type { TokenVerifier } from "./tokens.ts";

export interface AppOptions {
  readonly jobs: Jobs;
  readonly tokens: TokenVerifier;
  /** What a new job's `backoff` is filled in with. */
  readonly backoffDefault: Backoff;
  /** Told of the address of whoever offers a token that is not valid. Default: nobody. */
  readonly onFailedLogin?: (address: string) => void;
  /** What `/audit` answers from. Without it there is no such path. */
  readonly audit?: AuditParts;
  /**
   * Fires when the server stops: event streams end, and those who wait for a job are answered with the job as it is.
   * Without it they last until their callers go.
   */
  readonly stopping?: AbortSignal;
  /** Id of a request that brought none. A random UUID by default. */
  readonly newRequestId?: () => string;
  /** Where mistakes of ours are told. The console by default. */
  readonly logger?: ApiLogger;
  /** Milliseconds between the comments that keep an idle event stream open. Default 15 000. */
  readonly keepAliveMs?: number;
}

export interface ApiLogger {
  error(message: string): void;
}

export function createApp(options: AppOptions): Hono<ApiEnv> {
  const { jobs, tokens, backoffDefault, logger = console } = options;
  const stopping = options.stopping ?? new AbortController().signal;
  const routes: readonly Route[] = [
    createJobRoute(jobs, backoffDefault),
    createBatchRoute(jobs, backoffDefault),
    bulkRoute(jobs, backoffDefault, stopping),
    listJobsRoute(jobs),
    ...jobRoutes(jobs, stopping),
    jobEventsRoute(jobs, { stopping, keepAliveMs: options.keepAliveMs ?? 15_000, onBroken: logMistake }),
    statsRoute(jobs),
    ...(options.audit ? auditRoutes(options.audit) : []),
    ...healthRoutes(jobs),
  ];
  const table = routes.map((route) => ({ ...route, pattern: pathPattern(route.path) }));

  const app = new Hono<ApiEnv>({ router: new RememberingRouter() });
  const admit = authenticate(
    tokens,
    // Deno cuts UUIDs out of a longer text, and an event that held such a part would take twice as long to write as JSON.
    options.newRequestId ?? (() => crypto.randomUUID().toLowerCase()),
    options.onFailedLogin ?? (() => {}),
  );
  for (const { method, path, scope, pattern, answer } of table) {
    const hasId = path.includes(":id");
    app.on(method, path, (c) => {
      admit(c);
      if (hasId && !pattern.test(c.req.path)) throw otherMethods(c) ?? noSuchPath(c);
      if (scope !== null) requireScope(c, scope);
      return answer(c);
    });
  }
  app.notFound((c) => {
    admit(c);
    return replyProblem(c, otherMethods(c) ?? noSuchPath(c));
  });
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem) return replyProblem(c, problem);
    logMistake(c, error);
    return replyProblem(
      c,
      new ProblemError(500, `The request failed inside Daybook; its log names request ${c.get("requestId")}`),
    );
  });
  return app;

  /** The refusal of a method at a path that answers others. */
  function otherMethods(c: ApiContext): ProblemError | undefined {
    const methods = table.filter(({ pattern }) => pattern.test(c.req.path)).map(({ method }) => method);
    if (methods.length === 0) return undefined;
    const allowed = methods.includes("GET") ? [...methods, "HEAD"] : methods;
    return new ProblemError(405, `${c.req.method} is not possible here, only ${allowed.join(", ")}`, {
      Allow: allowed.join(", "),
    });
  }

  function logMistake(c: ApiContext, error: unknown): void {
    const cause = error instanceof Error ? error.stack ?? `${error.name}: ${error.message}` : String(error);
    logger.error(`Request ${c.get("requestId")} (${c.req.method} ${c.req.path}) failed: ${cause}`);
  }
}
