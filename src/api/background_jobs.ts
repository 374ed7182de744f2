/**
 * `GET /background-jobs`: the list of jobs, newest first, by filters and in pages.
 *
 * @module
 */
import type { JobFilter, Jobs } from "../actors/jobs.ts";
import { API_ROOT } from "./context.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { doesNotFit } from "./problem.ts";
import { nextLink, readQuery } from "./query.ts";
import { replyJson } from "./reply.ts";
import type { Route } from "./route.ts";
import { listJobsQuery } from "./schemas.ts";

const LIMIT_DEFAULT = 50;

export function listJobsRoute(jobs: Jobs): Route {
  return {
    method: "GET",
    path: `${API_ROOT}/background-jobs`,
    scope: "jobs:read",
    answer: async (c) => {
      const { limit, cursor, created_after, created_before, at, ...same } = readQuery(c, listJobsQuery);
      const list = at === undefined ? "now" : "then";
      const after = cursor === undefined ? undefined : decodeCursor(list, cursor);
      if (cursor !== undefined && after === undefined) {
        throw doesNotFit([{
          parameter: "cursor",
          message: "the cursor is none that this list has given out",
        }]);
      }
      const filter: JobFilter = {
        ...same,
        ...(created_after !== undefined && { createdAfter: created_after }),
        ...(created_before !== undefined && { createdBefore: created_before }),
      };
      const pageOf = { limit: limit ?? LIMIT_DEFAULT, ...(after !== undefined && { after }) };
      const page = at === undefined
        ? await jobs.queries.list(filter, pageOf)
        : await jobs.asOf.list(filter, at, pageOf);
      const link = page.next === undefined
        ? {}
        : { Link: nextLink(c, "cursor", encodeCursor(list, page.next)) };
      return replyJson(c, 200, page.jobs, link);
    },
  };
}
