/**
 * A server whose one slot is held, so that the jobs it takes wait.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { requestBytes } from "./http_load.ts";
import { type ServerProcess, startDaybook } from "./server_process.ts";

const TOKEN = "token-of-the-bench";
/** Long enough for what a start leaves behind to be over. */
const SETTLE_MS = 1_000;

/** A job of a type that does nothing. */
export const NOOP = { job_type: "noop", payload: { n: 1 } };

/** Started and settled; its data goes into the folder `data`, which must not exist. */
export async function startServerOfOneSlot(data: string): Promise<ServerProcess> {
  await Deno.mkdir(data);
  const server = await startDaybook({
    DAYBOOK_DATA: data,
    DAYBOOK_PORT: "0",
    DAYBOOK_LOG_LEVEL: "WARNING",
    DAYBOOK_TOKEN: TOKEN,
    DAYBOOK_CONCURRENCY: "1",
    DAYBOOK_HANDLERS: fileURLToPath(new URL("handlers", import.meta.url)),
  });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return server;
}

/** Resolves when a job runs in the slot. */
export async function takeTheSlot(server: ServerProcess): Promise<void> {
  await call(server, "/background-jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ job_type: "hold" }),
  });
  let running = 0;
  while (running === 0) running = (await statuses(server)).processing;
}

export async function waitingJobs(server: ServerProcess): Promise<number> {
  return (await statuses(server)).queued;
}

/** A whole request as bytes. */
export function postRequest(path: string, body: unknown): Uint8Array {
  return requestBytes(
    [
      `POST /api/system${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      `Authorization: Bearer ${TOKEN}`,
      "Content-Type: application/json",
    ],
    JSON.stringify(body),
  );
}

async function statuses(server: ServerProcess): Promise<Record<"queued" | "processing", number>> {
  return (await call(server, "/stats")).by_status;
}

async function call({ port }: ServerProcess, path: string, init: RequestInit = {}) {
  const headers = { Authorization: `Bearer ${TOKEN}`, ...init.headers };
  const response = await fetch(`http://127.0.0.1:${port}/api/system${path}`, { ...init, headers });
  return await response.json();
}
