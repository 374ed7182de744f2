/**
 * The inside of the Worker that optimizes one SQLite file.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { DatabaseSync } from "node:sqlite";
import type { Optimized } from "./optimized.ts";
import type { SqliteOrder, SqliteReport } from "./sqlite.ts";

/** Pages freed in one transaction beside a busy writer: a few milliseconds of its lock. */
const PAGES_PER_SLICE = 200;
/** The writer's turn between two slices. */
const PAUSE_MS = 5;
/** Rows that ANALYZE looks at of each index of a file in use, so that it holds the lock for milliseconds. */
const ANALYSIS_LIMIT = 400;
const BUSY_TIMEOUT_MS = 5_000;

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data }: MessageEvent<SqliteOrder>) => {
  optimize(data).then(
    (done) => scope.postMessage({ done } satisfies SqliteReport),
    (error) => scope.postMessage({ failed: (error as Error).message } satisfies SqliteReport),
  );
};

async function optimize({ path, inUse }: SqliteOrder): Promise<Optimized> {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    const tables = count(
      database,
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    );
    const before = bytesOf(database);
    const vacuum = await freePages(database, inUse);
    if (inUse) database.exec(`PRAGMA analysis_limit = ${ANALYSIS_LIMIT}`);
    database.exec("ANALYZE");
    // What was freed leaves the file when the write-ahead log is folded into it.
    database.prepare(`PRAGMA wal_checkpoint(${inUse ? "PASSIVE" : "TRUNCATE"})`).all();
    return {
      tablesAnalyzed: tables,
      tablesOptimized: vacuum.done ? tables : 0,
      bytesFreed: Math.max(0, before - bytesOf(database)),
      notes: vacuum.notes,
    };
  } finally {
    database.close();
  }
}

async function freePages(
  database: DatabaseSync,
  inUse: boolean,
): Promise<{ done: boolean; notes: readonly string[] }> {
  const mode = count(database, "PRAGMA auto_vacuum");
  if (mode === 2) {
    await vacuumIncrementally(database);
    return { done: true, notes: [] };
  }
  if (inUse) {
    const note = "free pages cannot be given back while the file is in use, because it was created without " +
      "auto_vacuum; ANALYZE was done";
    return { done: false, notes: [note] };
  }
  try {
    database.exec("VACUUM");
    return { done: true, notes: [] };
  } catch (error) {
    // Deno forbids ATTACH, which VACUUM uses inside, to a process without every permission.
    if (!/too many attached databases/.test((error as Error).message)) throw error;
    const note = "VACUUM needs every permission (deno task start:all) or a file with PRAGMA auto_vacuum = " +
      "INCREMENTAL; ANALYZE was done";
    return { done: false, notes: [note] };
  }
}

async function vacuumIncrementally(database: DatabaseSync): Promise<void> {
  // Through exec() or run() the pragma frees a single page.
  const slice = database.prepare(`PRAGMA incremental_vacuum(${PAGES_PER_SLICE})`);
  for (let left = freePagesOf(database), last = Infinity; left > 0 && left < last;) {
    slice.all();
    last = left;
    left = freePagesOf(database);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function freePagesOf(database: DatabaseSync): number {
  return count(database, "PRAGMA freelist_count");
}

function bytesOf(database: DatabaseSync): number {
  return count(database, "PRAGMA page_count") * count(database, "PRAGMA page_size");
}

function count(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? { none: 0 })[0]);
}
