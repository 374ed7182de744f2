/**
 * A server on a log with a million events: how soon it runs the first waiting job, after a stop and after a kill, and how
 * much memory a million waiting jobs take, and how long queries do among them.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addUpTo, fillFile } from "./filled_file.ts";
import { measureLists } from "./lists.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { type ServerProcess, startDaybook } from "./server_process.ts";
import { middle } from "./statistics.ts";

const TOKEN = "token-of-the-bench";
const FIRST_RUN = /The first noop runs/;
/** How long the server works on the waiting jobs before its memory is read. */
const WORK_MS = 5_000;

export const largeLog: Measurement = { name: "large_log", measure: measureLargeLog };

async function measureLargeLog({ dir, sizes }: Bench): Promise<Row[]> {
  const { completed, waiting, mostWaiting } = sizes.stored;
  const path = join(dir, "daybook.kv");
  await fillFile(path, completed, waiting);

  const starts = [];
  const restarts = [];
  for (let i = 0; i < sizes.rounds; i++) {
    const server = await start(dir);
    starts.push(await server.said(FIRST_RUN));
    await server.kill();
    await using again = await start(dir);
    restarts.push(await again.said(FIRST_RUN));
  }

  const left = await addUpTo(path, mostWaiting);
  const lists = await measureLists(dir, path, sizes.singles);
  await using server = await start(dir);
  await server.said(FIRST_RUN);
  await new Promise((resolve) => setTimeout(resolve, WORK_MS));
  const memory = await server.memory();
  const events = `${(3 * completed + waiting).toLocaleString("en")} events`;
  const once = { asked: 1, done: 1 };
  return [
    row("start", `start on ${events}, ${waiting.toLocaleString("en")} waiting, to the first handler`, {
      ...once,
      latency_ms: spread(starts),
    }),
    row("start_after_kill", "the same after kill -9", { ...once, latency_ms: spread(restarts) }),
    row("million_waiting", `the server at work, ${left.toLocaleString("en")} jobs waiting`, {
      ...once,
      memory_mb: memory,
    }),
    ...lists,
  ];
}

function start(dir: string): Promise<ServerProcess> {
  return startDaybook({
    DAYBOOK_DATA: dir,
    DAYBOOK_PORT: "0",
    DAYBOOK_LOG_LEVEL: "WARNING",
    DAYBOOK_TOKEN: TOKEN,
    DAYBOOK_HANDLERS: fileURLToPath(new URL("handlers", import.meta.url)),
  });
}

function spread(samples: readonly number[]): { p50: number; p99: number } {
  return { p50: middle(samples, (ms) => ms), p99: Math.max(...samples) };
}
