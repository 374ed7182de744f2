/**
 * A typed client for programs that use Daybook: plain `fetch`, no dependency, for browsers, Node and Deno.
 *
 * Everything that goes wrong is one class, {@linkcode DaybookError}; a caller's own abort is passed on as it is.
 *
 * ```ts ignore
 * import { createClient } from "./client.ts";
 *
 * const daybook = createClient({ url: "http://127.0.0.1:2000", token: "dbk_…" });
 * const send = async () => {
 *   const job = await daybook.createBackgroundJob({
 *     job_type: "email_send",
 *     payload: { to: "ada@example.com", subject: "Hello", text: "It works." },
 *   }, { idempotencyKey: "welcome-ada" });
 *   const done = await daybook.waitForBackgroundJob<"email_send">(job.id);
 *   console.log(done.result?.message_id);
 * };
 * ```
 *
 * @module
 */
import type { Backoff, Job, JobPriority, JobStatus } from "../actors/job/job.ts";
import type { JobStats } from "../actors/jobs.ts";
import type { EventEnvelope } from "../events/event.ts";
import type { JobTypeMap } from "./job_types.ts";
import type { Problem, ProblemItem } from "./problem.ts";

export interface ClientOptions {
  /** Daybook's address, such as `http://127.0.0.1:2000`; a path is kept, for a server behind a proxy. */
  readonly url: string | URL;
  readonly token: string;
  /** Used in place of the global `fetch`. */
  readonly fetch?: (input: string, init: RequestInit) => Response | Promise<Response>;
}

export type PayloadOf<Type extends string> = Type extends keyof JobTypeMap ? JobTypeMap[Type]["payload"]
  : Job["payload"];
export type ResultOf<Type extends string> = Type extends keyof JobTypeMap ? JobTypeMap[Type]["result"]
  : NonNullable<Job["result"]>;

/** A job whose payload and result have the types of its job type. */
export type TypedJob<Type extends string = string> =
  & Omit<Job, "job_type" | "payload" | "result">
  & { readonly job_type: Type; readonly payload: PayloadOf<Type>; readonly result: ResultOf<Type> | null };

interface JobOptions {
  priority?: JobPriority;
  queue?: string;
  max_retries?: number;
  /** ISO 8601 with `Z` or an offset; `null` is at once. */
  scheduled_at?: string | null;
  timeout_seconds?: number;
  backoff?: Partial<Backoff>;
  tags?: readonly string[];
}

/** A new job; what is left out gets its default. `payload` may be left out where the type demands nothing of it. */
export type NewJob<Type extends string> =
  & JobOptions
  & { job_type: Type }
  & (Record<never, never> extends PayloadOf<Type> ? { payload?: PayloadOf<Type> }
    : { payload: PayloadOf<Type> });

/** What became of one job of a batch: the job, or the problem that its own creation would have met. */
export type BatchResult<Type extends string = string> =
  | { readonly job: TypedJob<Type>; readonly error?: undefined }
  | { readonly error: Problem; readonly job?: undefined };

/** What may change while a job is queued. */
export type JobUpdate<Type extends string = string> = JobOptions & { payload?: PayloadOf<Type> };

export interface JobListFilter {
  status?: JobStatus;
  job_type?: string;
  queue?: string;
  priority?: JobPriority;
  tag?: string;
  created_after?: string;
  created_before?: string;
  /** The moment as of which is asked, ISO 8601. Default: now. */
  at?: string;
  /** Jobs a page, 50 by default, at most 500. */
  limit?: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ChangeOptions extends CallOptions {
  /** Only while the job is at this version, its `version` as last seen; else status 412. */
  readonly ifMatch?: number;
}

/** The items of a page; `next` leads to the one after it, and is `undefined` on the last. */
export type Page<Item, Next> = Item[] & { readonly next: Next | undefined };

export interface DaybookClient {
  createBackgroundJob<const Type extends string>(
    job: NewJob<Type>,
    options?: CallOptions & { readonly idempotencyKey?: string },
  ): Promise<TypedJob<Type>>;
  /** At most 1000 jobs with one request; one result for each, in order. `atomic`: all or none, at most 100. */
  createMany<const Types extends readonly string[]>(
    jobs: { readonly [Index in keyof Types]: NewJob<Types[Index]> },
    options?: CallOptions & { readonly atomic?: boolean; readonly idempotencyKey?: string },
  ): Promise<{ readonly [Index in keyof Types]: BatchResult<Types[Index]> }>;
  /** Newest first, all of them or those with a status or what else the filter says. */
  getBackgroundJobs(
    filter?: JobStatus | JobListFilter,
    options?: CallOptions,
  ): Promise<Page<TypedJob, string>>;
  getBackgroundJob<Type extends string = string>(id: string, options?: CallOptions): Promise<TypedJob<Type>>;
  /**
   * Starts to cancel, retry or delete every job that the filter names (`{}` is all), and answers the job that does so: wait
   * for it, follow it or cancel it like any other.
   */
  bulk(
    wish: PayloadOf<"bulk_operation">,
    options?: CallOptions & { readonly idempotencyKey?: string },
  ): Promise<TypedJob<"bulk_operation">>;
  /** How many jobs that would be about now. */
  countBulk(wish: PayloadOf<"bulk_operation">, options?: CallOptions): Promise<number>;
  updateBackgroundJob<Type extends string = string>(
    id: string,
    changes: JobUpdate<Type>,
    options?: ChangeOptions,
  ): Promise<TypedJob<Type>>;
  /** The job, `cancelled`, or still `processing` with `cancel_requested_at` set until its handler lets go. */
  cancelBackgroundJob<Type extends string = string>(
    id: string,
    options?: ChangeOptions & { readonly reason?: string },
  ): Promise<TypedJob<Type>>;
  retryBackgroundJob<Type extends string = string>(
    id: string,
    options?: ChangeOptions,
  ): Promise<TypedJob<Type>>;
  deleteBackgroundJob(id: string, options?: ChangeOptions): Promise<void>;
  /** Its history, oldest first; `after` is the version of the last event that is known already. */
  getBackgroundJobEvents(
    id: string,
    options?: CallOptions & { readonly after?: number; readonly limit?: number },
  ): Promise<Page<EventEnvelope, number>>;
  /** The job once it is final, or as it is after `timeoutSeconds`; without that it waits as long as it takes. */
  waitForBackgroundJob<Type extends string = string>(
    id: string,
    options?: CallOptions & { readonly timeoutSeconds?: number },
  ): Promise<TypedJob<Type>>;
  getStats(options?: CallOptions): Promise<JobStats>;
}

/** Why a call failed: the problem that Daybook answered, or what kept it from answering. */
export class DaybookError extends Error {
  override readonly name: string = "DaybookError";
  /** The HTTP status; 0 when no reply came. */
  readonly status: number;
  /** The status in words. */
  readonly title: string;
  readonly detail: string;
  /** What does not fit, field by field; empty for other problems. */
  readonly errors: readonly ProblemItem[];
  /** Seconds after which to try again, where the reply said so. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, options?: ErrorOptions & { readonly retryAfter?: number | undefined }) {
    super(problem.detail, options);
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.retryAfter = options?.retryAfter;
  }
}

/** Longest `wait` that one request can ask for, in seconds. */
const MAX_WAIT_SECONDS = 60;

export function createClient(options: ClientOptions): DaybookClient {
  const root = `${String(options.url).replace(/\/+$/, "")}/api/system`;
  const send = options.fetch ?? ((input, init) => fetch(input, init));
  const path = (id: string, rest = "") => `/background-jobs/${encodeURIComponent(id)}${rest}`;

  return {
    createBackgroundJob: (job, { idempotencyKey, signal } = {}) =>
      call("POST", "/background-jobs", { body: job, signal, headers: { "Idempotency-Key": idempotencyKey } }),

    createMany: (jobs, { atomic, idempotencyKey, signal } = {}) =>
      call("POST", "/background-jobs/batch", {
        body: { jobs, ...(atomic !== undefined && { atomic }) },
        signal,
        headers: { "Idempotency-Key": idempotencyKey },
      }),

    async getBackgroundJobs(filter = {}, { signal } = {}) {
      const query = typeof filter === "string" ? { status: filter } : { ...filter };
      const { value, next } = await request<TypedJob[]>("GET", `/background-jobs${search(query)}`, {
        signal,
      });
      return Object.assign(value, { next: next?.get("cursor") ?? undefined });
    },

    getBackgroundJob: (id, { signal } = {}) => call("GET", path(id), { signal }),

    bulk: (wish, { idempotencyKey, signal } = {}) =>
      call("POST", "/background-jobs/bulk", {
        body: wish,
        signal,
        headers: { "Idempotency-Key": idempotencyKey },
      }),

    async countBulk(wish, { signal } = {}) {
      const body = { ...wish, dry_run: true };
      return (await call<{ count: number }>("POST", "/background-jobs/bulk", { body, signal })).count;
    },

    updateBackgroundJob: (id, changes, { ifMatch, signal } = {}) =>
      call("PATCH", path(id), { body: changes, signal, headers: { "If-Match": entityTag(ifMatch) } }),

    cancelBackgroundJob: (id, { reason, ifMatch, signal } = {}) =>
      call("POST", path(id, "/cancel"), {
        body: reason === undefined ? {} : { reason },
        signal,
        headers: { "If-Match": entityTag(ifMatch) },
      }),

    retryBackgroundJob: (id, { ifMatch, signal } = {}) =>
      call("POST", path(id, "/retry"), { signal, headers: { "If-Match": entityTag(ifMatch) } }),

    deleteBackgroundJob: (id, { ifMatch, signal } = {}) =>
      call("DELETE", path(id), { signal, headers: { "If-Match": entityTag(ifMatch) } }),

    async getBackgroundJobEvents(id, { after, limit, signal } = {}) {
      const target = path(id, `/events${search({ after, limit })}`);
      const { value, next } = await request<EventEnvelope[]>("GET", target, { signal });
      const last = next?.get("after");
      return Object.assign(value, { next: last == null ? undefined : Number(last) });
    },

    async waitForBackgroundJob<Type extends string>(
      id: string,
      { timeoutSeconds = Infinity, signal }: CallOptions & { readonly timeoutSeconds?: number } = {},
    ) {
      const deadline = performance.now() + timeoutSeconds * 1000;
      while (true) {
        const left = Math.max(0, (deadline - performance.now()) / 1000);
        const wait = Math.min(MAX_WAIT_SECONDS, left).toFixed(3);
        const job = await call<TypedJob<Type>>("GET", path(id, `?wait=${wait}`), { signal });
        const final = job.status !== "queued" && job.status !== "processing";
        if (final || performance.now() >= deadline) return job;
      }
    },

    getStats: ({ signal } = {}) => call("GET", "/stats", { signal }),
  };

  async function call<T>(method: string, target: string, parts: RequestParts): Promise<T> {
    return (await request<T>(method, target, parts)).value;
  }

  async function request<T>(
    method: string,
    target: string,
    { body, signal, headers }: RequestParts,
  ): Promise<{ value: T; next: URLSearchParams | undefined }> {
    const sent: Record<string, string> = { Authorization: `Bearer ${options.token}` };
    if (body !== undefined) sent["Content-Type"] = "application/json";
    for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) sent[name] = value;

    let response: Response;
    let text: string;
    try {
      response = await send(root + target, {
        method,
        headers: sent,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      const detail = `${method} ${root}${target} got no reply: ${
        error instanceof Error ? error.message : error
      }`;
      throw new DaybookError({ title: "No Reply", status: 0, detail }, { cause: error });
    }
    if (response.ok && text === "") return { value: undefined as T, next: undefined };
    const value = parse(text);
    if (!response.ok || value === undefined) throw refusal(response, value, text);
    return { value: value as T, next: nextQuery(response) };
  }
}

interface RequestParts {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Not every reply comes from Daybook: a proxy in between answers in its own words. */
function refusal(response: Response, value: unknown, text: string): DaybookError {
  const given: { [member in keyof Problem]?: unknown } = typeof value === "object" && value !== null
    ? value
    : {};
  const after = Number(response.headers.get("Retry-After") ?? NaN);
  return new DaybookError({
    status: response.status,
    title: typeof given.title === "string" ? given.title : response.statusText || `Status ${response.status}`,
    detail: typeof given.detail === "string"
      ? given.detail
      : `The reply is none of Daybook's: ${text.slice(0, 200)}`,
    errors: Array.isArray(given.errors) ? given.errors : [],
  }, { retryAfter: Number.isFinite(after) ? after : undefined });
}

function nextQuery(response: Response): URLSearchParams | undefined {
  const target = /<([^>]*)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  return target === undefined ? undefined : new URLSearchParams(target.slice(target.indexOf("?") + 1));
}

function search(parameters: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}

function entityTag(version: number | undefined): string | undefined {
  return version === undefined ? undefined : `"${version}"`;
}
