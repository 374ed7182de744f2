/**
 * `GET /background-jobs/{id}/events`: a job's history, as JSON pages or as an event stream that stays open and follows.
 *
 * An event's id in the stream is its version, so a `Last-Event-ID` goes on exactly behind it.
 *
 * @module
 */
import { accepts } from "hono/accepts";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { JobNotFoundError } from "../actors/errors.ts";
import type { Jobs } from "../actors/jobs.ts";
import { feedId, type FeedPlace, mustHaveSeen, parseFeedId } from "./feed_place.ts";
import { API_ROOT, type ApiContext } from "./context.ts";
import { sharedHeaders } from "./headers.ts";
import { jobIdOf } from "./job_id.ts";
import { doesNotFit, ProblemError } from "./problem.ts";
import { nextLink, readQuery } from "./query.ts";
import { replyJson } from "./reply.ts";
import type { Route } from "./route.ts";
import { jobEventsQuery } from "./schemas.ts";
import { untilAny } from "./until.ts";

const LIMIT_DEFAULT = 100;
const STREAM_TYPE = "text/event-stream";

export interface JobEventsOptions {
  /** Ends the open streams. */
  readonly stopping: AbortSignal;
  /** Milliseconds between the comments that keep an idle stream open. */
  readonly keepAliveMs: number;
  /** Told of a stream that broke for another reason than its caller's going away. */
  readonly onBroken: (c: ApiContext, error: unknown) => void;
}

export function jobEventsRoute(jobs: Jobs, options: JobEventsOptions): Route {
  const { queries } = jobs;

  return {
    method: "GET",
    path: `${API_ROOT}/background-jobs/:id/events`,
    scope: "jobs:read",
    answer: (c) => {
      const supports = ["application/json", STREAM_TYPE];
      return accepts(c, { header: "Accept", supports, default: "application/json" }) === STREAM_TYPE
        ? stream(c)
        : page(c);
    },
  };

  async function page(c: ApiContext): Promise<Response> {
    const { after = 0, limit = LIMIT_DEFAULT } = readQuery(c, jobEventsQuery);
    const id = jobIdOf(c);
    const events = await queries.history(id, after, limit + 1);
    if (!events) throw new JobNotFoundError(id);
    const shown = events.slice(0, limit);
    const last = shown.at(-1);
    const more = events.length > limit && last !== undefined;
    return replyJson(c, 200, shown, more ? { Link: nextLink(c, "after", String(last.version)) } : {});
  }

  async function stream(c: ApiContext): Promise<Response> {
    const { after, limit } = readQuery(c, jobEventsQuery);
    if (limit !== undefined) {
      throw doesNotFit([{
        parameter: "limit",
        message: "an event stream has no pages, so it takes no limit",
      }]);
    }
    const given = lastEventId(c);
    const start = given?.version ?? after ?? 0;
    const id = jobIdOf(c);
    const job = await queries.get(id);
    if (!job) throw new JobNotFoundError(id);
    const logIds = queries.logIds();
    if (given || start > job.version) {
      await mustHaveSeen(queries, job, {
        version: start,
        generation: given?.generation ?? logIds.length - 1,
      });
    }

    for (const [name, value] of Object.entries(sharedHeaders(c))) c.header(name, value);
    c.header("X-Accel-Buffering", "no");
    if (c.req.raw.method === "HEAD") return c.body(null, 200, { "Content-Type": STREAM_TYPE });
    return streamSSE(c, (out) => follow(out, id, start), (error) => {
      options.onBroken(c, error);
      return Promise.resolve();
    });
  }

  async function follow(out: SSEStreamingApi, id: string, start: number): Promise<void> {
    const left = new AbortController();
    out.onAbort(() => left.abort());
    using until = untilAny(left.signal, options.stopping);
    // At most one comment waits for a caller that reads slowly.
    let idle = true;
    const comment = async (text: string) => {
      if (!idle) return;
      idle = false;
      await out.write(`: ${text}\n\n`);
      idle = true;
    };
    const keepAlive = setInterval(() => comment("keep-alive"), options.keepAliveMs);
    try {
      await comment(`follows after version ${start}`);
      for await (const event of queries.follow(id, start, until.signal)) {
        await out.writeSSE({ id: feedId(event, queries.logIds()), data: JSON.stringify(event) });
      }
    } catch (error) {
      if (!until.signal.aborted) throw error;
    } finally {
      clearInterval(keepAlive);
    }
  }
}

function lastEventId(c: ApiContext): FeedPlace | undefined {
  const header = c.req.header("Last-Event-ID");
  if (header === undefined || header === "") return undefined;
  const place = parseFeedId(header);
  if (place) return place;
  throw new ProblemError(422, "Last-Event-ID must be the id of an event of this stream, such as 3");
}
