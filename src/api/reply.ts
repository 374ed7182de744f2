/**
 * Replies, each with the headers that all of them share. A reply is made in one piece, since headers that are added
 * to a finished response cost a copy of it.
 *
 * @module
 */
import type { Job } from "../actors/job/job.ts";
import type { ApiContext } from "./context.ts";
import { jobETag } from "./etag.ts";
import { type ReplyHeaders, sharedHeaders } from "./headers.ts";

export function replyJson(c: ApiContext, status: number, body: unknown, headers?: ReplyHeaders): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...sharedHeaders(c), ...headers },
  });
}

export function replyJob(c: ApiContext, status: number, job: Job, headers?: ReplyHeaders): Response {
  return replyJson(c, status, job, { ETag: jobETag(job), ...headers });
}

export function replyEmpty(c: ApiContext): Response {
  return new Response(null, { status: 204, headers: sharedHeaders(c) });
}
