/**
 * A job's id in a path. What has not its form is no job, so nothing is looked up for it.
 *
 * @module
 */
import type { ApiContext } from "./context.ts";

/** A UUID in lower case. */
export const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id in the path of a route with `:id`; the app lets only paths in that have one. */
export function jobIdOf(c: ApiContext): string {
  return c.req.param("id")!;
}

/** Matches the paths of a route, whose `:id` is a job's id. */
export function pathPattern(path: string): RegExp {
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(":id", JOB_ID.source.slice(1, -1))}$`);
}
