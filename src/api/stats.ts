/**
 * `GET /stats`: counts of jobs, how long the oldest has waited, and how many became final lately.
 *
 * @module
 */
import type { Jobs } from "../actors/jobs.ts";
import { API_ROOT } from "./context.ts";
import { refuseQuery } from "./query.ts";
import { replyJson } from "./reply.ts";
import type { Route } from "./route.ts";

export function statsRoute(jobs: Jobs): Route {
  return {
    method: "GET",
    path: `${API_ROOT}/stats`,
    scope: "jobs:read",
    answer: async (c) => {
      refuseQuery(c);
      return replyJson(c, 200, await jobs.queries.stats());
    },
  };
}
