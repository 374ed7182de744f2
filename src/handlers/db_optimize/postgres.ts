/**
 * Optimizing a PostgreSQL database: VACUUM (ANALYZE) on each table of its users.
 *
 * @module
 */
import type { HandlerContext } from "../handler.ts";
import type { Optimized } from "./optimized.ts";

const CONNECT_TIMEOUT_SECONDS = 10;

export async function optimizePostgres(url: string, context: HandlerContext): Promise<Optimized> {
  const { default: postgres } = await import("postgres");
  const notices: string[] = [];
  const sql = postgres(url, {
    max: 1,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    onnotice: ({ severity, message }) => {
      if (severity === "WARNING" && message) notices.push(message);
    },
  });
  const bytes = async () =>
    Number((await sql`SELECT pg_database_size(current_database()) AS bytes`)[0]!["bytes"]);
  try {
    const tables = await sql`
      SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY schemaname, relname`;
    const before = await bytes();
    let done = 0;
    for (const [i, { schemaname, relname }] of tables.entries()) {
      context.signal.throwIfAborted();
      const warnings = notices.length;
      const name = `${quoted(schemaname)}.${quoted(relname)}`;
      // VACUUM must not run inside a transaction.
      await cancellable(sql.unsafe(`VACUUM (ANALYZE) ${name}`), context.signal);
      if (notices.length === warnings) done += 1;
      context.progress((100 * (i + 1)) / tables.length, `${schemaname}.${relname}`);
    }
    return {
      tablesAnalyzed: done,
      tablesOptimized: done,
      bytesFreed: Math.max(0, before - await bytes()),
      notes: notices,
    };
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    throw new Error(`cannot optimize the PostgreSQL database ${withoutCredentials(url)}: ${reasonOf(error)}`);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function cancellable(
  query: PromiseLike<unknown> & { cancel(): void },
  signal: AbortSignal,
): Promise<void> {
  const cancel = () => query.cancel();
  signal.addEventListener("abort", cancel);
  try {
    await query;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function withoutCredentials(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || "it does not answer";
}
