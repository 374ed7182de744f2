/**
 * The runtime in this process with one job type that does nothing, on a file of its own.
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { BACKOFF_DEFAULT } from "../src/actors/job/job.ts";
import { JobTypeRegistry } from "../src/actors/job_type_registry.ts";
import type { JobSpec } from "../src/actors/jobs.ts";
import { Runtime } from "../src/actors/runtime.ts";
import type { EventMeta } from "../src/events/event.ts";
import { createKvFile } from "../src/config/kv_file.ts";
import { KvStore } from "../src/events/kv_store.ts";
import type { Commit } from "../src/events/store.ts";
import type { HandlerServices } from "../src/handlers/handler.ts";
import { RecordingStore } from "./commits.ts";
import type { CompletionSource } from "./completions.ts";

export interface NoopRuntimeOptions {
  /** The KV file, made when it is missing. */
  readonly path: string;
  /** Handlers that run at once. */
  readonly concurrency: number;
  /** Where to keep what is committed. Default: nowhere. */
  readonly recordTo?: Commit[] | undefined;
  /** Signs checkpoints. Default: there are none. */
  readonly signingKey?: KeyObject;
  /** Called as a handler begins. */
  readonly onStarted?: () => void;
}

const META: EventMeta = { actor: "bench", request_id: null, causation_id: null, reason: null };

const SPEC: JobSpec = {
  job_type: "noop",
  payload: { n: 1 },
  queue: "default",
  priority: "normal",
  max_retries: 3,
  scheduled_at: null,
  timeout_seconds: 300,
  backoff: BACKOFF_DEFAULT,
  tags: [],
};

/** Opens a runtime whose jobs run from `start()` on, on a file as the server makes it. */
export async function openNoopRuntime(options: NoopRuntimeOptions): Promise<Runtime> {
  const { path, concurrency, recordTo, signingKey, onStarted = () => {} } = options;
  await createKvFile(path);
  const store = new KvStore(await Deno.openKv(path));
  const jobTypes = new JobTypeRegistry().register({
    jobType: "noop",
    payloadSchema: z.object({ n: z.number() }),
    run: () => {
      onStarted();
      return {};
    },
  });
  return await Runtime.open({
    store: recordTo ? new RecordingStore(store, recordTo) : store,
    jobTypes,
    ...signingKey && { signingKey },
    // The handler asks for none.
    services: {} as HandlerServices,
    concurrency,
    onError: failLoudly,
    onRestart: failLoudly,
  });
}

/** Creates one job; answers its id when it is on disk. */
export async function createNoop(runtime: Runtime, tags: readonly string[] = []): Promise<string> {
  const spec = tags.length > 0 ? { ...SPEC, tags: [...tags] } : SPEC;
  return (await runtime.jobs.commands.create(spec, META)).job.id;
}

/** Creates many jobs in one call; returns when all are on disk. */
export async function createNoops(runtime: Runtime, jobs: number): Promise<void> {
  await createAll(runtime, Array(jobs).fill(SPEC));
}

/** The same of jobs that are no-ops but for what is said of each; answers their ids. */
export function createVaried(runtime: Runtime, jobs: readonly Partial<JobSpec>[]): Promise<string[]> {
  return createAll(runtime, jobs.map((job) => ({ ...SPEC, ...job })));
}

async function createAll(runtime: Runtime, specs: readonly JobSpec[]): Promise<string[]> {
  return (await runtime.jobs.commands.createMany(specs, META)).map((outcome) => {
    if ("error" in outcome) throw outcome.error;
    return outcome.job.id;
  });
}

/** Returns when that is on disk. */
export async function cancelNoop(runtime: Runtime, id: string): Promise<void> {
  await runtime.jobs.commands.cancel(id, META);
}

/** The completions that the runtime's log tells of, once they are on disk. */
export function completionsOf(runtime: Runtime): CompletionSource {
  return (completed) =>
    runtime.log.listen({
      landed: (appends) => {
        for (const { change: { after } } of appends) {
          if (after.phase === "completed") completed(after.id);
        }
      },
    });
}

/** A KV file name that no other has; the folder is removed as a whole. */
export function newFile(dir: string): string {
  return join(dir, `${crypto.randomUUID()}.kv`);
}

function failLoudly(error: unknown): void {
  throw new Error("The runtime met an error, so the figures would be of something else", { cause: error });
}
