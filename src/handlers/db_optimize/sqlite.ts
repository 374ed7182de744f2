/**
 * Optimizes a SQLite file in a Web Worker, for `node:sqlite` blocks its thread for as long as a statement takes.
 *
 * @module
 */
import { type DatabaseTarget, PermanentError } from "../handler.ts";
import type { Optimized, ReportFraction } from "./optimized.ts";
import type { SqliteOrder, SqliteReport, SqliteStop, SqliteWork } from "./sqlite_messages.ts";

/** How long others may hold the lock before the work fails, in milliseconds. */
const PATIENCE_MS = 30_000;
/**
 * How long an aborted Worker may take to close the file, in milliseconds; below the 10 s after which the runtime gives
 * up an aborted handler. A statement cannot be interrupted: a VACUUM that takes longer goes on to its end after that,
 * holding the file's lock, and leaves the file whole.
 */
const STOP_GRACE_MS = 8_000;

/**
 * VACUUM (incremental where the file has it) and ANALYZE of one SQLite file, never made when it is missing.
 *
 * @throws {PermanentError} If it is not a SQLite database.
 * @throws {Error} If it is missing or locked; a retry may find it otherwise.
 */
export async function optimizeSqlite(
  target: Extract<DatabaseTarget, { kind: "sqlite" | "own" }>,
  signal: AbortSignal,
  report: ReportFraction,
): Promise<Optimized> {
  const { name, path } = target;
  const before = await sizeOnDisk(name, path);
  const work = await workInWorker(
    { say: "start", name, path, own: target.kind === "own", patienceMs: PATIENCE_MS },
    signal,
    report,
  );
  return { ...work, bytesFreed: Math.max(0, before - await sizeOnDisk(name, path)) };
}

/**
 * The file and its write-ahead log in bytes.
 *
 * By `stat` alone: closing any other handle on a SQLite file drops the locks that this process holds on it (POSIX), and
 * Deno KV would go on without them.
 */
async function sizeOnDisk(name: string, path: string): Promise<number> {
  const file = await statOrUndefined(path);
  if (!file?.isFile) {
    throw new Error(`Cannot optimize '${name}': there is no file at ${path}`);
  }
  return file.size + ((await statOrUndefined(`${path}-wal`))?.size ?? 0);
}

async function statOrUndefined(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function workInWorker(
  order: SqliteOrder,
  signal: AbortSignal,
  report: ReportFraction,
): Promise<SqliteWork> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./sqlite_worker.ts", import.meta.url), {
    type: "module",
    name: "db_optimize",
  });
  const { promise, resolve, reject } = Promise.withResolvers<SqliteWork>();
  let grace: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    worker.postMessage({ say: "stop" } satisfies SqliteStop);
    grace = setTimeout(() => reject(signal.reason), STOP_GRACE_MS);
  };
  worker.onmessage = ({ data }: MessageEvent<SqliteReport>) => {
    if (data.say === "progress") report(data.fraction, data.note);
    else if (data.say === "done") resolve(data.work);
    else reject(data.permanent ? new PermanentError(data.message) : new Error(data.message));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`Cannot optimize '${order.name}': ${event.message}`));
  };
  signal.addEventListener("abort", stop, { once: true });
  worker.postMessage(order);
  try {
    return await promise;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(grace);
    worker.terminate();
  }
}
