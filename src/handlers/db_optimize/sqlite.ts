/**
 * Optimizing a SQLite file in a Worker, because `node:sqlite` blocks the thread that it works on.
 *
 * @module
 */
import type { Optimized } from "./optimized.ts";

export interface SqliteOrder {
  readonly path: string;
  /** Whether a writer is at work on the file that must not be kept waiting. */
  readonly inUse: boolean;
}

export type SqliteReport = { readonly done: Optimized } | { readonly failed: string };

/** Rejects with the signal's reason as soon as it fires; SQLite rolls back what was under way. */
export async function optimizeSqlite(
  path: string,
  options: { readonly inUse: boolean },
  signal: AbortSignal,
): Promise<Optimized> {
  // SQLite would make a file that is not there.
  const { isFile } = await Deno.stat(path).catch((cause) => {
    throw new Error(`cannot open the SQLite file ${path}: ${cause.message}`, { cause });
  });
  if (!isFile) throw new Error(`cannot open the SQLite file ${path}: it is not a file`);
  signal.throwIfAborted();

  const worker = new Worker(new URL("./sqlite_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<Optimized>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  worker.onmessage = ({ data }: MessageEvent<SqliteReport>) =>
    "done" in data
      ? resolve(data.done)
      : reject(new Error(`cannot optimize the SQLite file ${path}: ${data.failed}`));
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`cannot optimize the SQLite file ${path}: ${event.message}`));
  };
  worker.postMessage({ path, inUse: options.inUse } satisfies SqliteOrder);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    worker.terminate();
  }
}
