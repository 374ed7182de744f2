/**
 * What a job type is: the one interface that every handler implements, and all that it may ask of the runtime.
 *
 * A handler stands alone: it imports this file and libraries, nothing else of Daybook. Whatever it needs beyond its
 * payload arrives in its {@linkcode HandlerContext}.
 *
 * @module
 */
import type { z } from "zod";

/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
/** A JSON object, the shape of every payload and result. At most 48 KiB as UTF-8 JSON. */
export type JsonObject = { [key: string]: Json };

/**
 * A job type: the schema of its payload and the work that it does.
 *
 * The runtime promises at-least-once execution, so `run` may be called again for the same job after a crash; use
 * {@linkcode HandlerContext.idempotencyKey} where the outside world must not see the work twice.
 */
export interface JobHandler<Payload = JsonObject, Result = object> {
  /** The `job_type` that callers name, `[a-z0-9_]{1,64}`. */
  readonly jobType: string;
  /** Checked when a job is created or its payload changed, and once more before each attempt. */
  readonly payloadSchema: z.ZodType<Payload>;
  /** Seconds after which an attempt is aborted, unless the job says otherwise: above 0, at most 86 400. Default 300. */
  readonly timeoutSeconds?: number;
  /**
   * Run each attempt in a Web Worker of its own, which is ended when the attempt is aborted and does not settle.
   * For handlers that compute for seconds without awaiting. Default `false`.
   * In a Worker the context has no `services`.
   */
  readonly isolate?: boolean;
  /**
   * Does the work and answers the job's result. The payload is the attempt's own: to change it changes nothing of the job.
   *
   * Throwing fails the attempt, which is retried by the job's backoff; throw {@linkcode PermanentError} where a
   * retry cannot help. When `context.signal` fires, stop soon and reject with its reason.
   */
  run(payload: Payload, context: HandlerContext): Promise<Result> | Result;
}

/** What one attempt is told and may use. */
export interface HandlerContext {
  readonly jobId: string;
  /** 1 for the first run of the job. */
  readonly attempt: number;
  /** The same for every attempt of a job and for no other job. */
  readonly idempotencyKey: string;
  /** Fires on timeout, cancellation and shutdown; its `reason` is the error to reject with. */
  readonly signal: AbortSignal;
  /** Reports progress: `percent` 0 to 100 and a note of at most 500 characters. Never throws, never waits. */
  progress(percent: number, note?: string): void;
  /** Writes a log line under the job's id. Put no secret and no payload value in it. */
  log(message: string, level?: "DEBUG" | "INFO" | "WARNING" | "ERROR"): void;
  /** The runtime's clock. */
  now(): Date;
  readonly services: HandlerServices;
}

/** The parts of the runtime that handlers may use, wired by `main.ts`. */
export interface HandlerServices {
  /** The application's cache: embedded, or Redis when `DAYBOOK_CACHE_URL` is set. */
  readonly cache: Cache;
  readonly mail: MailSettings;
  readonly logs: LogFiles;
  /** The databases that `db_optimize` knows, by name; `daybook` is Daybook's own KV file. */
  readonly databases: readonly DatabaseTarget[];
  /** Records that `cleanup` may remove. */
  readonly records: ExpiringRecords;
  /** Uploads and other scratch files, `<data>/tmp`. */
  readonly tempDir: string;
}

/** A key-value cache. Values are JSON; keys are non-empty strings of at most 512 characters. */
export interface Cache {
  /** The value, or `undefined` when there is none or its time to live is over. */
  get(key: string): Promise<Json | undefined>;
  /** Stores a value of at most 60 KiB as JSON; `ttlSeconds` > 0, no expiry when omitted. */
  set(key: string, value: Json, options?: { ttlSeconds?: number }): Promise<void>;
  /** Removes the entry; `false` when there was none. */
  delete(key: string): Promise<boolean>;
  /** Removes entries in bulk and says how many and, in bytes, how much that freed. */
  flush(selection: CacheSelection, signal?: AbortSignal): Promise<{ items: number; bytes: number }>;
}

/**
 * Which entries a flush removes: all of them, or the expired ones together with those whose key matches `pattern`
 * (`*` any run of characters, `?` one character).
 */
export type CacheSelection = { all: true } | { all: false; pattern?: string };

export interface MailSettings {
  /** `smtp://` or `smtps://` address with optional credentials; without it mail goes to `outboxDir`. */
  readonly smtpUrl?: string;
  /** The sender, an address or `Name <address>`. */
  readonly from: string;
  /** Where `.eml` files are written when there is no `smtpUrl`. */
  readonly outboxDir: string;
  /** Folders of template files, searched in order. */
  readonly templateDirs: readonly string[];
}

export interface LogFiles {
  /** Daybook's own log file. */
  readonly own: {
    readonly path: string;
    /**
     * Moves what is written so far to `to` and goes on in a fresh file, losing no line that is being written
     * meanwhile. Answers the bytes moved; 0, and no file at `to`, when there was nothing.
     */
    moveTo(to: string): Promise<number>;
  };
  /** Folders whose `*.log` files are rotated too. */
  readonly dirs: readonly string[];
  /** Archives kept for each log file. */
  readonly keep: number;
}

export type DatabaseTarget =
  | { readonly name: string; readonly kind: "sqlite"; readonly path: string }
  | { readonly name: string; readonly kind: "postgres"; readonly url: string }
  /** Daybook's own KV file: opened beside the running log, only incremental work. */
  | { readonly name: string; readonly kind: "own"; readonly path: string };

/** Records of Daybook that age, and how to remove them through the log. */
export interface ExpiringRecords {
  /** Deletes final jobs cancelled before `before` and answers how many; each deletion is an event. */
  deleteCancelledJobs(before: Date, signal: AbortSignal): Promise<number>;
  /** Removes expired idempotency keys and tokens and answers how many. */
  deleteExpired(now: Date, signal: AbortSignal): Promise<number>;
}

/** A failure that no retry can mend: the job becomes `failed` at once. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
  /** Read by the runtime; any error that carries `retryable: false` is treated alike. */
  readonly retryable = false;
}
