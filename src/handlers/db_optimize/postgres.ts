/**
 * Optimizes a PostgreSQL database: `VACUUM (ANALYZE)` of each table, through one connection.
 *
 * @module
 */
import type { Notice, Sql } from "postgres";
import type { DatabaseTarget } from "../handler.ts";
import type { Optimized, ReportFraction } from "./optimized.ts";

const CONNECT_TIMEOUT_SECONDS = 10;
const CLOSE_TIMEOUT_SECONDS = 2;
/** Notes on tables; a database where many thousands may not be vacuumed would outgrow a job's result. */
const MAX_NOTES = 20;

interface Table {
  readonly schema: string;
  readonly name: string;
}

/**
 * `VACUUM (ANALYZE)` of every ordinary table and materialized view outside the system's schemas. It locks out neither
 * readers nor writers. A table that the user may not vacuum is named in the notes.
 *
 * When `signal` fires, the statement that runs is cancelled on the server.
 *
 * @throws {Error} If the server cannot be reached, refuses the user, or fails a statement; names the database, never
 * the address with its password.
 */
export async function optimizePostgres(
  { name, url }: Extract<DatabaseTarget, { kind: "postgres" }>,
  signal: AbortSignal,
  report: ReportFraction,
): Promise<Optimized> {
  signal.throwIfAborted();
  // Reads PGHOST and others from the environment as it is imported.
  const { default: postgres } = await import("postgres");
  const warnings: Notice[] = [];
  let sql: Sql | undefined;
  try {
    sql = postgres(url, {
      max: 1,
      connect_timeout: CONNECT_TIMEOUT_SECONDS,
      fetch_types: false,
      onnotice: (notice) => warnings.push(notice),
      // The attempt has its own timeout; a role's default would end a long VACUUM half-way.
      connection: { application_name: "daybook db_optimize", statement_timeout: 0 },
    });
    return await optimizeTables(sql, name, warnings, signal, report);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`Cannot optimize '${name}': ${reasonOf(error)}`, { cause: error });
  } finally {
    await sql?.end({ timeout: CLOSE_TIMEOUT_SECONDS });
  }
}

async function optimizeTables(
  sql: Sql,
  name: string,
  warnings: Notice[],
  signal: AbortSignal,
  report: ReportFraction,
): Promise<Optimized> {
  const tables = await listTables(sql, signal);
  const refused: string[] = [];
  let bytesFreed = 0;
  for (const [index, table] of tables.entries()) {
    signal.throwIfAborted();
    const label = `${table.schema}.${table.name}`;
    report(index / tables.length, `VACUUM ${label}`);
    const before = await sizeOf(sql, table, signal);
    warnings.length = 0;
    try {
      await cancellable(sql.unsafe(`VACUUM (ANALYZE) ${quoted(table)}`), signal);
    } catch (error) {
      signal.throwIfAborted();
      // Dropped since they were listed.
      if (codeOf(error) === "42P01") continue;
      throw error;
    }
    if (warnings.some(saysSkipped)) refused.push(label);
    else bytesFreed += before - await sizeOf(sql, table, signal);
  }
  const vacuumed = tables.length - refused.length;
  return {
    tablesAnalyzed: vacuumed,
    tablesOptimized: vacuumed,
    bytesFreed: Math.max(0, bytesFreed),
    notes: notesOn(refused, name),
  };
}

async function listTables(sql: Sql, signal: AbortSignal): Promise<Table[]> {
  return await cancellable(
    sql<Table[]>`
      SELECT n.nspname AS schema, c.relname AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      ORDER BY 1, 2`,
    signal,
  );
}

/** With indexes and TOAST; 0 for a table that is gone. */
async function sizeOf(sql: Sql, table: Table, signal: AbortSignal): Promise<number> {
  const [row] = await cancellable(
    sql<{ bytes: string }[]>`
      SELECT coalesce(pg_total_relation_size(to_regclass(${quoted(table)})), 0)::text AS bytes`,
    signal,
  );
  return Number(row?.bytes ?? 0);
}

function quoted({ schema, name }: Table): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}

/** The server answers a refusal with a warning; its wording follows the server's language, its routine does not. */
function saysSkipped(warning: Notice): boolean {
  return /^vacuum_is_/.test(warning["routine"] ?? "");
}

function notesOn(refused: string[], name: string): string[] {
  const notes = refused.slice(0, MAX_NOTES).map((label) =>
    `${name}: table ${label} was not vacuumed, for it belongs to another role; only its owner, the database's owner ` +
    "or a superuser may"
  );
  const rest = refused.length - MAX_NOTES;
  return rest > 0 ? [...notes, `${name}: ${rest} more tables were not vacuumed for the same reason`] : notes;
}

async function cancellable<T>(query: Promise<T> & { cancel(): unknown }, signal: AbortSignal): Promise<T> {
  const cancel = () => void query.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await query;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Some connection errors carry their reason in the code alone.
  return error.message || String(codeOf(error) ?? error.name);
}
