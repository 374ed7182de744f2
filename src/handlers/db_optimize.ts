/**
 * `db_optimize`: VACUUM and ANALYZE on the configured databases.
 *
 * Without targets it works on all that are configured, by default on Daybook's own KV file while that is written to.
 *
 * @module
 */
import { z } from "zod";
import type { Optimized } from "./db_optimize/optimized.ts";
import { optimizePostgres } from "./db_optimize/postgres.ts";
import { optimizeSqlite } from "./db_optimize/sqlite.ts";
import { type DatabaseTarget, type HandlerContext, type JobHandler, PermanentError } from "./handler.ts";

const payloadSchema = z.strictObject({
  targets: z.array(z.string().min(1).max(256)).min(1).max(100).optional(),
});

type Payload = z.infer<typeof payloadSchema>;

export interface DbOptimizeResult {
  status: "success";
  tables_analyzed: number;
  tables_optimized: number;
  /** Megabytes of 10⁶ bytes. */
  space_freed_mb: number;
  duration_ms: number;
  /** What could not be done; absent when everything was. */
  notes?: string[];
}

export const dbOptimize: JobHandler<Payload, DbOptimizeResult> = {
  jobType: "db_optimize",
  payloadSchema,
  timeoutSeconds: 3600,
  run: optimizeAll,
};

async function optimizeAll({ targets }: Payload, context: HandlerContext): Promise<DbOptimizeResult> {
  const started = performance.now();
  const chosen = choose(targets, context.services.databases);
  const done: Optimized[] = [];
  for (const [i, target] of chosen.entries()) {
    context.signal.throwIfAborted();
    context.progress((100 * i) / chosen.length, target.name);
    const optimized = await optimize(target, context);
    done.push({ ...optimized, notes: optimized.notes.map((note) => `${target.name}: ${note}`) });
  }
  const sum = (field: "tablesAnalyzed" | "tablesOptimized" | "bytesFreed") =>
    done.reduce((total, each) => total + each[field], 0);
  const notes = done.flatMap((each) => each.notes);
  return {
    status: "success",
    tables_analyzed: sum("tablesAnalyzed"),
    tables_optimized: sum("tablesOptimized"),
    space_freed_mb: sum("bytesFreed") / 1e6,
    duration_ms: Math.round(performance.now() - started),
    ...(notes.length > 0 && { notes }),
  };
}

function choose(
  names: readonly string[] | undefined,
  known: readonly DatabaseTarget[],
): readonly DatabaseTarget[] {
  if (!names) return known;
  return [...new Set(names)].map((name) => {
    const target = known.find((each) => each.name === name);
    if (target) return target;
    const list = known.map((each) => `'${each.name}'`).join(", ");
    throw new PermanentError(`there is no database '${name}'; DAYBOOK_DATABASES gives ${list || "none"}`);
  });
}

function optimize(target: DatabaseTarget, context: HandlerContext): Promise<Optimized> {
  switch (target.kind) {
    case "postgres":
      return optimizePostgres(target.url, context);
    case "sqlite":
      return optimizeSqlite(target.path, { inUse: false }, context.signal);
    case "own":
      return optimizeSqlite(target.path, { inUse: true }, context.signal);
  }
}
