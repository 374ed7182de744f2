/**
 * The job type `cleanup`: removes what has grown old.
 *
 * | type | removes | by default |
 * | --- | --- | --- |
 * | `expired_data` | expired tokens and idempotency keys | at once |
 * | `old_logs` | archives that `log_rotate` made | over 90 days after |
 * | `cancelled_jobs` | cancelled jobs, from lists; their history stays in the log | over 7 days after |
 * | `temp_files` | files in the folder of temporary files | untouched for 1 day |
 *
 * The result names the files that were removed, so that the log keeps their history; the deletion of a job is an event
 * of its own. What fails for one type stops no other; the job then fails with what it was, and a retry does the rest.
 *
 * @module
 */
import { z } from "zod";
import type { HandlerContext, JobHandler } from "./handler.ts";
import { removeOldArchives } from "./cleanup/archived_logs.ts";
import { Removals, type RemovedFile } from "./cleanup/removals.ts";
import { removeOldTempFiles } from "./cleanup/temp_files.ts";
import { CLEANUP_TYPES, type CleanupType, DEFAULT_AGE_DAYS } from "./cleanup/types.ts";

const cleanupPayload = z.strictObject({
  /** Default `all`. */
  type: z.enum(["all", ...CLEANUP_TYPES]).optional(),
  /** Overrides the ages of what is cleaned; decimals are fine, 0 removes whatever its age. */
  older_than_days: z.number().min(0).max(36_500).optional(),
});

export type CleanupPayload = z.infer<typeof cleanupPayload>;

/** What a cleanup answers; all figures are measured. */
export interface CleanupResult {
  readonly status: "success";
  readonly type: "all" | CleanupType;
  /** Records and files. */
  readonly records_deleted: number;
  /** The size of the files, in millions of bytes. */
  readonly space_freed_mb: number;
  readonly duration_ms: number;
  /** `records_deleted` by type. */
  readonly by_type: Partial<Record<CleanupType, number>>;
  /** The files removed, the first 200 at most. */
  readonly removed: readonly RemovedFile[];
  /** How many files were removed, named or not. */
  readonly removed_total: number;
}

const DAY_MS = 86_400_000;

/** Removes what has grown old; see the module's comment. */
export const cleanup: JobHandler<CleanupPayload, CleanupResult> = {
  jobType: "cleanup",
  payloadSchema: cleanupPayload,
  async run(payload, context) {
    const started = performance.now();
    const type = payload.type ?? "all";
    const chosen = type === "all" ? CLEANUP_TYPES : [type];
    const removals = new Removals();
    const failures: unknown[] = [];
    for (const [index, kind] of chosen.entries()) {
      context.signal.throwIfAborted();
      context.progress(100 * index / chosen.length, `Cleaning ${kind}`);
      const days = payload.older_than_days ?? DEFAULT_AGE_DAYS[kind];
      const before = new Date(context.now().getTime() - days * DAY_MS);
      try {
        removals.count(kind, 0);
        await CLEANERS[kind](before, context, removals);
      } catch (error) {
        context.signal.throwIfAborted();
        failures.push(error);
      }
      const count = removals.byType[kind] ?? 0;
      if (count > 0) context.log(`Removed ${count} of ${kind} older than ${days} days`);
    }
    if (failures.length > 0) throw joined(failures);
    context.progress(100, `${removals.records} removed`);
    return {
      status: "success",
      type,
      records_deleted: removals.records,
      space_freed_mb: removals.bytes / 1e6,
      duration_ms: Math.round(performance.now() - started),
      by_type: removals.byType,
      removed: removals.named,
      removed_total: removals.files,
    };
  },
};

type Cleaner = (before: Date, context: HandlerContext, removals: Removals) => Promise<void>;

const CLEANERS: Record<CleanupType, Cleaner> = {
  async expired_data(before, { services, signal }, removals) {
    removals.count("expired_data", await services.records.deleteExpired(before, signal));
  },
  async cancelled_jobs(before, { services, signal }, removals) {
    removals.count("cancelled_jobs", await services.records.deleteCancelledJobs(before, signal));
  },
  old_logs(before, context, removals) {
    const { services, signal } = context;
    return removeOldArchives(services.logs, before, signal, noting("old_logs", context, removals));
  },
  temp_files(before, context, removals) {
    const { services, signal } = context;
    return removeOldTempFiles(services.tempDir, before, signal, noting("temp_files", context, removals));
  },
};

function noting(type: CleanupType, context: HandlerContext, removals: Removals) {
  return (name: string, bytes: number): void => {
    removals.file(type, name, bytes);
    context.log(`Removed ${name} (${type}, ${bytes} bytes)`, "DEBUG");
  };
}

function joined(failures: unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const messages = failures.map((failure) => failure instanceof Error ? failure.message : String(failure));
  return new AggregateError(failures, messages.join("; "));
}
