/**
 * `/healthz`, the process is alive; `/readyz`, a write would be acknowledged. Both answer without a token, and take no
 * notice of a query, so that any probe can ask.
 *
 * @module
 */
import type { Jobs } from "../actors/jobs.ts";
import { ProblemError, RETRY_AFTER_SECONDS } from "./problem.ts";
import { replyJson } from "./reply.ts";
import type { Route } from "./route.ts";

export function healthRoutes(jobs: Jobs): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/healthz",
      scope: null,
      answer: (c) => replyJson(c, 200, { status: "ok" }),
    },
    {
      method: "GET",
      path: "/readyz",
      scope: null,
      answer: (c) => {
        const state = jobs.queries.ready();
        if (state.ready) return replyJson(c, 200, { status: "ready" });
        throw new ProblemError(503, `No write would be acknowledged now: ${state.why}`, {
          "Retry-After": String(RETRY_AFTER_SECONDS),
        });
      },
    },
  ];
}
