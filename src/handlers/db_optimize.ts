/**
 * The job type `db_optimize`: VACUUM and ANALYZE on SQLite files and PostgreSQL databases.
 *
 * | database | what is done |
 * | --- | --- |
 * | SQLite with `auto_vacuum=INCREMENTAL`, Daybook's own file among them | free pages are given back in short slices, so that others go on writing; ANALYZE |
 * | other SQLite files | VACUUM where the process holds every permission (`start:all`), else a note; ANALYZE |
 * | PostgreSQL | `VACUUM (ANALYZE)` of each table of its users, one after the other |
 *
 * Figures are measured. What could not be done, though nothing failed, is named in `notes`. A database that fails stops
 * no other; the job then fails with what it was.
 *
 * @module
 */
import { z } from "zod";
import { type DatabaseTarget, type HandlerContext, type JobHandler, PermanentError } from "./handler.ts";
import type { Optimized, ReportFraction } from "./db_optimize/optimized.ts";
import { optimizePostgres } from "./db_optimize/postgres.ts";
import { optimizeSqlite } from "./db_optimize/sqlite.ts";

const dbOptimizePayload = z.strictObject({
  /** Names of databases; by default the configured ones, and Daybook's own file when there are none. */
  targets: z.array(z.string().min(1).max(512)).min(1).max(100).optional(),
});

export type DbOptimizePayload = z.infer<typeof dbOptimizePayload>;

/** What an optimization answers; all figures are measured. */
export interface DbOptimizeResult {
  readonly status: "success";
  /** Tables whose statistics were made anew. */
  readonly tables_analyzed: number;
  /** Tables that were vacuumed; 0 for an incremental file that had no free pages. */
  readonly tables_optimized: number;
  /** By how much files (with their write-ahead logs) and tables (with their indexes) shrank, in millions of bytes. */
  readonly space_freed_mb: number;
  readonly duration_ms: number;
  /** What could not be done and what it would take; left out when there is nothing to say. */
  readonly notes?: readonly string[];
}

/** Optimizes databases; see the module's comment. */
export const dbOptimize: JobHandler<DbOptimizePayload, DbOptimizeResult> = {
  jobType: "db_optimize",
  payloadSchema: dbOptimizePayload,
  // A large database takes longer than the 300 s that suit most jobs.
  timeoutSeconds: 3_600,
  async run(payload, context) {
    const started = performance.now();
    const targets = chosenTargets(payload, context.services.databases);
    const done: Optimized[] = [];
    const failures: Error[] = [];
    for (const [index, target] of targets.entries()) {
      context.signal.throwIfAborted();
      const report: ReportFraction = (fraction, note) =>
        context.progress(100 * (index + fraction) / targets.length, `${target.name}: ${note}`);
      try {
        done.push(await optimize(target, context.signal, report));
      } catch (error) {
        context.signal.throwIfAborted();
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (failures.length > 0) throw joined(failures);
    context.progress(100, `${targets.length} optimized`);
    return result(done, context, performance.now() - started);
  },
};

function chosenTargets(
  { targets }: DbOptimizePayload,
  databases: readonly DatabaseTarget[],
): readonly DatabaseTarget[] {
  if (targets === undefined) {
    const configured = databases.filter((database) => database.kind !== "own");
    return configured.length > 0 ? configured : databases;
  }
  return [...new Set(targets)].map((name) => {
    const database = databases.find((database) => database.name === name);
    if (database) return database;
    const known = databases.map((database) => `'${database.name}'`).join(", ");
    throw new PermanentError(`Unknown database '${name}'; known are ${known} (DAYBOOK_DATABASES)`);
  });
}

function optimize(target: DatabaseTarget, signal: AbortSignal, report: ReportFraction): Promise<Optimized> {
  return target.kind === "postgres"
    ? optimizePostgres(target, signal, report)
    : optimizeSqlite(target, signal, report);
}

function result(done: Optimized[], context: HandlerContext, durationMs: number): DbOptimizeResult {
  const sum = (figure: (one: Optimized) => number) => done.reduce((total, one) => total + figure(one), 0);
  const notes = done.flatMap((one) => one.notes);
  for (const note of notes) context.log(note, "WARNING");
  return {
    status: "success",
    tables_analyzed: sum((one) => one.tablesAnalyzed),
    tables_optimized: sum((one) => one.tablesOptimized),
    space_freed_mb: sum((one) => one.bytesFreed) / 1e6,
    duration_ms: Math.round(durationMs),
    ...(notes.length > 0 && { notes }),
  };
}

function joined(failures: Error[]): Error {
  const [first] = failures;
  if (failures.length === 1 && first) return first;
  const message = failures.map((failure) => failure.message).join("; ");
  return failures.every((failure) => failure instanceof PermanentError)
    ? new PermanentError(message, { cause: failures })
    : new AggregateError(failures, message);
}
