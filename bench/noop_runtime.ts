/**
 * The runtime in this process with one job type that does nothing, on a file of its own.
 *
 * @module
 */
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

export interface NoopRuntimeOptions {
  /** The KV file, made when it is missing. */
  readonly path: string;
  /** Handlers that run at once. */
  readonly concurrency: number;
  /** Where to keep what is committed. Default: nowhere. */
  readonly recordTo?: Commit[] | undefined;
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
  const { path, concurrency, recordTo, onStarted = () => {} } = options;
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
    // The handler asks for none.
    services: {} as HandlerServices,
    concurrency,
    onError: failLoudly,
    onRestart: failLoudly,
  });
}

/** Creates one job; answers its id when it is on disk. */
export async function createNoop(runtime: Runtime): Promise<string> {
  return (await runtime.jobs.commands.create(SPEC, META)).job.id;
}

/** Makes `calls` calls, `inFlight` at a time, each as soon as the one before it in its place has ended. */
export async function keepInFlight(
  calls: number,
  inFlight: number,
  call: () => Promise<void>,
): Promise<void> {
  let left = calls;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (left-- > 0) await call();
  }));
}

/** A KV file name that no other has; the folder is removed as a whole. */
export function newFile(dir: string): string {
  return join(dir, `${crypto.randomUUID()}.kv`);
}

function failLoudly(error: unknown): void {
  throw new Error("The runtime met an error, so the figures would be of something else", { cause: error });
}
