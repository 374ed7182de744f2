/**
 * Runs `db_optimize` as the runtime would, on databases in a folder that is gone afterwards.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import {
  dbOptimize,
  type DbOptimizePayload,
  type DbOptimizeResult,
} from "../../../src/handlers/db_optimize.ts";
import type { DatabaseTarget, HandlerContext, HandlerServices } from "../../../src/handlers/handler.ts";

/** One attempt of a `db_optimize` job, and what it said. */
export interface Attempt {
  /** `12 % name: note`. */
  readonly progress: string[];
  readonly logged: string[];
  readonly result: Promise<DbOptimizeResult>;
}

/** Starts an attempt; `onProgress` is called with each report. */
export function optimize(
  databases: readonly DatabaseTarget[],
  { payload = {}, signal = new AbortController().signal, onProgress }: {
    payload?: DbOptimizePayload;
    signal?: AbortSignal;
    onProgress?: (note: string) => void;
  } = {},
): Attempt {
  const progress: string[] = [];
  const logged: string[] = [];
  const services: Partial<HandlerServices> = { databases };
  const context: HandlerContext = {
    jobId: "1",
    attempt: 1,
    idempotencyKey: "1",
    signal,
    progress(percent, note = "") {
      progress.push(`${Math.round(percent)} % ${note}`);
      onProgress?.(note);
    },
    log: (message, level) => void logged.push(`${level ?? "INFO"} ${message}`),
    now: () => new Date(),
    services: services as HandlerServices,
  };
  const result = Promise.resolve().then(() => dbOptimize.run(payload, context));
  return { progress, logged, result };
}

/** A file with two tables of which one has lost most of `megabytes`; `setup` comes before its first table. */
export function bloatedFile(path: string, { megabytes = 4, setup = "" } = {}): void {
  using database = new DatabaseSync(path);
  database.exec(`
    ${setup};
    CREATE TABLE orders (id INTEGER PRIMARY KEY, body BLOB, state TEXT);
    CREATE INDEX orders_by_state ON orders (state);
    CREATE TABLE "od""d" (a);
    INSERT INTO "od""d" VALUES (1), (2);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${megabytes * 1000})
      INSERT INTO orders SELECT i, randomblob(1000), 'state ' || (i % 5) FROM n;
    DELETE FROM orders WHERE id % 20 <> 0;
  `);
}

/** The file and its write-ahead log. */
export function bytesOf(path: string): number {
  return sizeOf(path) + sizeOf(`${path}-wal`);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** Rows in the planner's statistics. */
export function statistics(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true });
  const known = database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'sqlite_stat1'").get();
  return known?.["n"] === 0
    ? 0
    : Number(database.prepare("SELECT count(*) AS n FROM sqlite_stat1").get()?.["n"]);
}
