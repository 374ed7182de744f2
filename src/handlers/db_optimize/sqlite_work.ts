/**
 * The work on one SQLite file: gives free pages back and makes the planner's statistics anew. Blocks its thread.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { PermanentError } from "../handler.ts";
import { freePages, giveBackFreePages } from "./incremental_vacuum.ts";
import type { ReportFraction } from "./optimized.ts";
import type { SqliteOrder, SqliteWork } from "./sqlite_messages.ts";
import { attempt, isLocked, numberOf, type Patience } from "./sqlite_statements.ts";

/** How long SQLite itself waits for a lock; short, for the thread hears of nothing meanwhile. */
const BUSY_TIMEOUT_MS = 100;
/**
 * Index rows that ANALYZE looks at in Daybook's own file, because it holds the write lock meanwhile: with 350 MB, a
 * fifth of it in use, 26 ms without a limit, growing with the file, and 0.5 ms with this one (SQLite's suggestion is
 * 100 to 1000).
 */
const OWN_ANALYSIS_LIMIT = 400;
/** Looks at whether the write-ahead log has reached the file; a busy writer adds to it all the time. */
const CHECKPOINT_ROUNDS = 20;
const CHECKPOINT_PAUSE_MS = 10;
const INCREMENTAL = 2;
/** Freeing takes most of the time, so it gets most of the bar. */
const VACUUM_SHARE = 0.7;

interface Subject extends Patience {
  readonly database: DatabaseSync;
  readonly name: string;
  readonly path: string;
  readonly own: boolean;
  readonly notes: string[];
}

/**
 * Optimizes the file, which must exist.
 *
 * @param signal Stops between statements and between slices.
 * @throws {PermanentError} If the file is no database.
 * @throws {Error} If others hold its lock for longer than `patienceMs`, or a statement fails.
 */
export async function workOnSqlite(
  { name, path, own, patienceMs }: SqliteOrder,
  signal: AbortSignal,
  report: ReportFraction,
): Promise<SqliteWork> {
  try {
    using database = new DatabaseSync(path, { timeout: Math.min(BUSY_TIMEOUT_MS, patienceMs) });
    const subject: Subject = { database, name, path, own, notes: [], patienceMs, signal };
    const tables = await attempt(() => tablesOf(database), subject);
    const vacuumed = await vacuum(subject, (done, note) => report(done * VACUUM_SHARE, note));
    const tablesAnalyzed = await analyze(
      subject,
      tables,
      (done, note) => report(VACUUM_SHARE + done * (1 - VACUUM_SHARE), note),
    );
    await settle(subject);
    return { tablesAnalyzed, tablesOptimized: vacuumed ? tables.length : 0, notes: subject.notes };
  } catch (error) {
    throw described(error, name, path);
  }
}

/** Ordinary tables: views and virtual tables have no pages of their own. */
function tablesOf(database: DatabaseSync): string[] {
  return database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
  ).all().map((row) => String(row["name"]));
}

/** Answers whether anything was vacuumed. */
async function vacuum(subject: Subject, report: ReportFraction): Promise<boolean> {
  const { database, name, own, notes } = subject;
  if (numberOf(database, "auto_vacuum") === INCREMENTAL) {
    return await giveBackFreePages(database, subject, report) > 0;
  }
  const unused = `${
    (freePages(database) * numberOf(database, "page_size") / 1e6).toFixed(1)
  } MB of it are unused`;
  if (own) {
    notes.push(
      `${name}: only analyzed, for it was created without auto_vacuum=INCREMENTAL and is in use; ${unused}, and filled ` +
        "before it grows",
    );
    return false;
  }
  report(0, "VACUUM");
  try {
    await attempt(() => database.exec("VACUUM"), subject);
    return true;
  } catch (error) {
    // VACUUM attaches a temporary database, which Deno allows only to a process that holds every permission.
    if (!(error instanceof Error && error.message.includes("too many attached databases"))) throw error;
    notes.push(
      `${name}: only analyzed; ${unused}. VACUUM of a SQLite file without auto_vacuum=INCREMENTAL needs every ` +
        "permission: start Daybook with 'deno task start:all'",
    );
    return false;
  }
}

/** Answers how many tables were analyzed. */
async function analyze(
  subject: Subject,
  tables: readonly string[],
  report: ReportFraction,
): Promise<number> {
  const { database, name, own, notes, signal } = subject;
  if (own) database.exec(`PRAGMA analysis_limit = ${OWN_ANALYSIS_LIMIT}`);
  let analyzed = 0;
  for (const [index, table] of tables.entries()) {
    report(index / tables.length, `ANALYZE ${table}`);
    try {
      await attempt(() => database.exec(`ANALYZE main."${table.replaceAll('"', '""')}"`), subject);
      analyzed++;
    } catch (error) {
      if (signal.aborted || isLocked(error) || !(error instanceof Error)) throw error;
      // For one, an index by a collation that only the application defines.
      notes.push(`${name}: table ${table} was not analyzed: ${error.message}`);
    }
  }
  return analyzed;
}

/** Brings the write-ahead log into the file, which only then gets smaller. */
async function settle({ database, path, own, signal }: Subject): Promise<void> {
  if (!own) {
    database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
    return;
  }
  for (let round = 0; round < CHECKPOINT_ROUNDS; round++) {
    signal.throwIfAborted();
    if (checkpoint(database, "PASSIVE")) {
      // It makes no writer wait, but SQLite cuts the file only if nobody wrote meanwhile. What is left now is little:
      // a writer waits for that much.
      if (isCut(database, path)) return;
      if (checkpoint(database, "FULL") && isCut(database, path)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, CHECKPOINT_PAUSE_MS));
  }
}

/** Answers whether all that was in the write-ahead log when it began is in the file. */
function checkpoint(database: DatabaseSync, mode: "PASSIVE" | "FULL"): boolean {
  const state = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get();
  return state?.["busy"] === 0 && state["log"] === state["checkpointed"];
}

/** Whether the file ends where the database does. */
function isCut(database: DatabaseSync, path: string): boolean {
  const { size } = Deno.statSync(path);
  return size <= numberOf(database, "page_count") * numberOf(database, "page_size");
}

function described(error: unknown, name: string, path: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("file is not a database")) {
    return new PermanentError(`Cannot optimize '${name}': ${path} is not a SQLite database`, {
      cause: error,
    });
  }
  const reason = isLocked(error) ? "another program holds its lock; a retry may find it free" : message;
  return new Error(`Cannot optimize '${name}' (${path}): ${reason}`, { cause: error });
}
