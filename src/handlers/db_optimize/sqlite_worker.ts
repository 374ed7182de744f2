/**
 * The Worker that works on one SQLite file and then reports.
 *
 * @module
 */
import { PermanentError } from "../handler.ts";
import type { SqliteOrder, SqliteReport, SqliteStop } from "./sqlite_messages.ts";
import { workOnSqlite } from "./sqlite_work.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<SqliteOrder | SqliteStop>) => void) | null;
  postMessage(report: SqliteReport): void;
}

const scope = self as unknown as WorkerScope;
const stopping = new AbortController();

scope.onmessage = ({ data }) => {
  if (data.say === "stop") stopping.abort();
  else void work(data);
};

async function work(order: SqliteOrder): Promise<void> {
  const report = (fraction: number, note: string) => scope.postMessage({ say: "progress", fraction, note });
  try {
    scope.postMessage({ say: "done", work: await workOnSqlite(order, stopping.signal, report) });
  } catch (error) {
    scope.postMessage({
      say: "failed",
      message: error instanceof Error ? error.message : String(error),
      permanent: error instanceof PermanentError,
    });
  }
}
