/**
 * Jobs in memory, for tests of the HTTP interface: just enough of the machine to answer each command, a record of the
 * commands that came in, and a way to make the next one fail.
 *
 * @module
 */
import { z } from "zod";
import {
  IdempotencyKeyReusedError,
  JobNotFoundError,
  TransitionRefusedError,
  VersionMismatchError,
} from "../../../src/actors/errors.ts";
import { bulkPayload } from "../../../src/actors/bulk_payload.ts";
import type { Job, JobStatus } from "../../../src/actors/job/job.ts";
import type { JobFilter, Jobs, JobSpec, JobStats } from "../../../src/actors/jobs.ts";
import type { EventEnvelope, EventMeta } from "../../../src/events/event.ts";

export interface RecordedCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

export class FakeJobs implements Jobs {
  readonly received: RecordedCommand[] = [];
  readonly stored = new Map<string, Job>();
  readonly events = new Map<string, EventEnvelope[]>();
  /** Thrown by the next command or query. */
  failure: unknown;
  /** What becomes of an item of a batch, in place of its creation. */
  failureOfItem: (index: number) => Error | undefined = () => undefined;
  notReady: string | undefined;
  /** The last is the log's own. */
  logIds = ["0190a8c0-0000-7000-8000-000000000000"];
  /** Streams and waits that are open. */
  open = 0;
  now = Date.parse("2026-01-07T10:15:32.000Z");
  readonly #keys = new Map<string, { id: string; bodyHash: string }>();
  readonly #batches = new Map<string, { ids: readonly string[]; bodyHash: string }>();
  readonly #watchers = new Set<() => void>();
  #count = 0;

  readonly #types = new Map<string, { payloadSchema: z.ZodType; timeoutSeconds: number }>([
    ["email_send", {
      payloadSchema: z.strictObject({
        to: z.email(),
        subject: z.string(),
        template: z.enum(["plain", "system_alert"]).default("plain"),
        data: z.record(z.string(), z.json()).optional(),
        nested: z.strictObject({ "a/b": z.number() }).optional(),
        who: z.union([z.string(), z.array(z.int())]).optional(),
      }),
      timeoutSeconds: 60,
    }],
    ["anything", { payloadSchema: z.looseObject({}), timeoutSeconds: 300 }],
    ["brittle", {
      payloadSchema: z.looseObject({}).refine(() => {
        throw new TypeError("secret");
      }),
      timeoutSeconds: 300,
    }],
    ["asynchronous", {
      payloadSchema: z.looseObject({}).refine((value) => Promise.resolve("ok" in value), {
        error: "must be ok",
      }),
      timeoutSeconds: 300,
    }],
    ["changing", { payloadSchema: z.any().refine(({ at }) => at.push(this.now++)), timeoutSeconds: 300 }],
    ["bulk_operation", { payloadSchema: bulkPayload, timeoutSeconds: 86_400 }],
  ]);

  readonly jobTypes: Jobs["jobTypes"] = {
    get: (name) => this.#types.get(name),
    names: () => [...this.#types.keys()],
  };

  readonly commands: Jobs["commands"] = {
    create: async (spec, meta, idempotency) => {
      await this.#receive("create", spec, meta, idempotency);
      const used = idempotency && this.#keys.get(`${meta.actor} ${idempotency.key}`);
      if (used && used.bodyHash !== idempotency.bodyHash) throw new IdempotencyKeyReusedError(used.id);
      if (used) return { job: this.stored.get(used.id)!, created: false };
      const job = this.#newJob(spec, meta);
      if (idempotency) {
        this.#keys.set(`${meta.actor} ${idempotency.key}`, { id: job.id, bodyHash: idempotency.bodyHash });
      }
      this.put(job, "job.created", meta);
      return { job, created: true };
    },
    createdBefore: ({ key }, { actor }) => {
      const used = this.#keys.get(`${actor} ${key}`);
      return Promise.resolve(used && this.stored.get(used.id));
    },
    createMany: async (specs, meta, options) => {
      await this.#receive("createMany", specs, meta, options);
      const { idempotency } = options ?? {};
      const used = idempotency && this.#batches.get(`${meta.actor} ${idempotency.key}`);
      if (used && used.bodyHash !== idempotency.bodyHash) throw new IdempotencyKeyReusedError(used.ids[0]!);
      if (used) return used.ids.map((id) => ({ job: this.stored.get(id)!, created: false }));
      const ids: string[] = [];
      const outcomes = specs.map((spec, i) => {
        const error = this.failureOfItem(i);
        if (error) return { error };
        const job = this.put(this.#newJob(spec, meta), "job.created", meta);
        ids.push(job.id);
        return { job, created: true };
      });
      if (idempotency) {
        this.#batches.set(`${meta.actor} ${idempotency.key}`, { ids, bodyHash: idempotency.bodyHash });
      }
      return outcomes;
    },
    update: async (id, changes, meta, expected) => {
      await this.#receive("update", id, changes, meta, expected);
      const job = this.#require(id, expected);
      if (job.status !== "queued") throw new TransitionRefusedError(id, "update", job.status);
      return this.put({ ...job, ...changes }, "job.updated", meta);
    },
    cancel: async (id, meta, expected) => {
      await this.#receive("cancel", id, meta, expected);
      const job = this.#require(id, expected);
      const asked = {
        cancel_requested_at: new Date(this.now).toISOString(),
        cancel_reason: meta.reason,
      };
      if (job.status === "cancelled") return { job, pending: false };
      if (job.status === "processing") {
        return { job: this.put({ ...job, ...asked }, "job.cancel_requested", meta), pending: true };
      }
      if (job.status !== "queued") throw new TransitionRefusedError(id, "cancel", job.status);
      return {
        job: this.put({ ...job, ...asked, status: "cancelled" }, "job.cancelled", meta),
        pending: false,
      };
    },
    retry: async (id, meta, expected) => {
      await this.#receive("retry", id, meta, expected);
      const job = this.#require(id, expected);
      if (job.status !== "failed" && job.status !== "cancelled") {
        throw new TransitionRefusedError(id, "retry", job.status);
      }
      return this.put({ ...job, status: "queued" }, "job.retried", meta);
    },
    delete: async (id, meta, expected) => {
      await this.#receive("delete", id, meta, expected);
      const job = this.#require(id, expected);
      if (job.status === "queued" || job.status === "processing") {
        throw new TransitionRefusedError(id, "delete", job.status);
      }
      this.stored.delete(id);
    },
  };

  readonly queries: Jobs["queries"] = {
    get: async (id) => {
      await this.#fail();
      return this.stored.get(id);
    },
    waitUntilFinal: async (id, timeoutMs, signal) => {
      await this.#receive("waitUntilFinal", id, timeoutMs);
      this.open++;
      try {
        while (["queued", "processing"].includes(this.stored.get(id)?.status ?? "")) {
          signal.throwIfAborted();
          await this.#change(signal);
        }
      } finally {
        this.open--;
      }
      return this.stored.get(id);
    },
    list: async (filter, page) => {
      await this.#receive("list", filter, page);
      const all = [...this.stored.values()].reverse().filter((job) => matches(job, filter));
      const start = page.after === undefined ? 0 : all.findIndex(({ id }) => id === page.after) + 1;
      const jobs = all.slice(start, start + page.limit);
      return { jobs, next: start + page.limit < all.length ? jobs.at(-1)?.id : undefined };
    },
    history: async (id, afterVersion, limit) => {
      await this.#receive("history", id, afterVersion, limit);
      return this.events.get(id)?.filter((event) => event.version > afterVersion).slice(0, limit);
    },
    follow: (id, afterVersion, signal) => this.#follow(id, afterVersion, signal),
    logIds: () => this.logIds,
    stats: async () => {
      await this.#fail();
      return stats([...this.stored.values()]);
    },
    ready: () => this.notReady === undefined ? { ready: true } : { ready: false, why: this.notReady },
  };

  /** As of any moment, the jobs that are there now. */
  readonly asOf: Jobs["asOf"] = {
    get: async (id, at) => {
      await this.#receive("asOf.get", id, at);
      const job = this.stored.get(id);
      if (job) return job;
      throw new JobNotFoundError(id);
    },
    list: async (filter, at, page) => {
      await this.#receive("asOf.list", filter, at, page);
      const jobs = [...this.stored.values()];
      return {
        jobs: jobs.slice(0, page.limit),
        next: jobs.length > page.limit ? jobs[page.limit - 1]!.id : undefined,
      };
    },
  };

  readonly bulk: Jobs["bulk"] = {
    count: async (selection, signal) => {
      await this.#receive("count", selection, signal);
      return [...this.stored.values()].filter((job) => matches(job, selection.filter)).length;
    },
  };

  /** Stores the job with one event more. */
  put(job: Job, type = "job.updated", meta: Partial<EventMeta> = {}): Job {
    const history = this.events.get(job.id) ?? [];
    const next = { ...job, version: history.length + 1 };
    const event: EventEnvelope = {
      log_id: this.logIds.at(-1)!,
      partition: 0,
      position: [...this.events.values()].flat().length,
      stream: `job/${job.id}`,
      version: next.version,
      type,
      schema_version: 1,
      machine_version: 1,
      time: new Date(this.now).toISOString(),
      actor: "test",
      request_id: null,
      causation_id: null,
      reason: null,
      ...meta,
      data: { status: job.status },
    };
    this.events.set(job.id, [...history, event]);
    this.stored.set(job.id, next);
    for (const wake of this.#watchers) wake();
    return next;
  }

  /** Stores a new job of type `anything` in the given status. */
  add(status: JobStatus = "queued", changes: Partial<Job> = {}): Job {
    const spec: JobSpec = {
      job_type: "anything",
      payload: {},
      queue: "default",
      priority: "normal",
      max_retries: 3,
      scheduled_at: null,
      timeout_seconds: 300,
      backoff: { base_seconds: 10, factor: 3, max_seconds: 500, jitter: 0.5 },
      tags: [],
    };
    const meta = { actor: "test", request_id: null, causation_id: null, reason: null };
    return this.put({ ...this.#newJob(spec, meta), status, ...changes }, "job.created");
  }

  /** The last command or query of that name. */
  last(name: string): readonly unknown[] | undefined {
    return this.received.findLast((command) => command.name === name)?.args;
  }

  async *#follow(id: string, afterVersion: number, signal: AbortSignal): AsyncGenerator<EventEnvelope> {
    this.received.push({ name: "follow", args: [id, afterVersion] });
    this.open++;
    try {
      let known = afterVersion;
      while (!signal.aborted) {
        for (const event of this.events.get(id) ?? []) {
          if (event.version <= known) continue;
          await this.#fail();
          yield event;
          known = event.version;
        }
        if ((this.events.get(id)?.length ?? 0) <= known) await this.#change(signal);
      }
    } finally {
      this.open--;
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#watchers.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return done();
      this.#watchers.add(done);
      signal.addEventListener("abort", done);
    });
  }

  #receive(name: string, ...args: unknown[]): Promise<void> {
    this.received.push({ name, args });
    return this.#fail();
  }

  #fail(): Promise<void> {
    if (this.failure === undefined) return Promise.resolve();
    const failure = this.failure;
    this.failure = undefined;
    return Promise.reject(failure);
  }

  #require(id: string, expected: number | undefined): Job {
    const job = this.stored.get(id);
    if (!job) throw new JobNotFoundError(id);
    if (expected !== undefined && expected !== job.version) {
      throw new VersionMismatchError(id, expected, job.version);
    }
    return job;
  }

  #newJob(spec: JobSpec, meta: EventMeta): Job {
    const at = new Date(this.now).toISOString();
    return {
      id: `0190a8c0-0000-7000-8000-${String(++this.#count).padStart(12, "0")}`,
      ...spec,
      status: "queued",
      result: null,
      error_message: null,
      attempt: 0,
      retry_count: 0,
      interrupt_count: 0,
      next_retry_at: null,
      progress: null,
      cancel_requested_at: null,
      cancel_reason: null,
      created_by: meta.actor,
      created_at: at,
      updated_at: at,
      started_at: null,
      completed_at: null,
      version: 1,
    };
  }
}

function matches(job: Job, filter: JobFilter): boolean {
  const created = Date.parse(job.created_at);
  return (filter.status ?? job.status) === job.status &&
    (filter.job_type ?? job.job_type) === job.job_type &&
    (filter.queue ?? job.queue) === job.queue &&
    (filter.priority ?? job.priority) === job.priority &&
    (filter.tag === undefined || job.tags.includes(filter.tag)) &&
    created > (filter.createdAfter ?? -Infinity) && created < (filter.createdBefore ?? Infinity);
}

function stats(jobs: readonly Job[]): JobStats {
  const none = () => ({ queued: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 });
  const by_status: Record<JobStatus, number> = none();
  for (const job of jobs) by_status[job.status]++;
  const final = { completed: 0, failed: 0, cancelled: 0 };
  return {
    total: jobs.length,
    by_status,
    by_type: { anything: by_status },
    by_queue: { default: by_status },
    oldest_waiting_seconds: null,
    throughput: { last_minute: final, last_hour: final },
  };
}
