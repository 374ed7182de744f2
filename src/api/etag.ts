/**
 * `ETag` and `If-Match` (RFC 9110): a job's version as a strong entity tag, `"3"`.
 *
 * @module
 */
import { JobNotFoundError } from "../actors/errors.ts";
import type { Job } from "../actors/job/job.ts";
import type { JobQueries } from "../actors/jobs.ts";
import type { ApiContext } from "./context.ts";
import { ProblemError } from "./problem.ts";

export function jobETag(job: Job): string {
  return `"${job.version}"`;
}

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;
const VERSION_TAG = /^"([1-9][0-9]{0,14})"$/;

/**
 * The versions that an `If-Match` accepts, `"any"` for `*`, `undefined` without the header.
 *
 * Weak tags never match (the comparison is the strong one), nor do tags that are not ours; a header that is no list
 * of entity tags accepts nothing, so that a mistaken precondition changes nothing.
 */
export function parseIfMatch(header: string | undefined): readonly number[] | "any" | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === "*") return "any";
  const rest = header.replaceAll(ENTITY_TAG, "");
  if (!/^[\s,]*$/.test(rest)) return [];
  return (header.match(ENTITY_TAG) ?? []).flatMap((tag) => {
    const version = VERSION_TAG.exec(tag)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}

/**
 * The version that a command on the job is to expect, `undefined` when any will do.
 *
 * @throws {ProblemError} 412 when the header cannot match the job as it is.
 * @throws {JobNotFoundError} If there is no such job to compare with.
 */
export async function expectedVersion(
  c: ApiContext,
  queries: JobQueries,
  id: string,
): Promise<number | undefined> {
  const accepted = parseIfMatch(c.req.header("If-Match"));
  if (accepted === undefined || accepted === "any") return undefined;
  if (accepted.length === 1) return accepted[0];
  const job = await queries.get(id);
  if (!job) throw new JobNotFoundError(id);
  if (accepted.includes(job.version)) return job.version;
  throw new ProblemError(412, `Job ${id} is at version ${job.version}, which If-Match does not name`);
}
