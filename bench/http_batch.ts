/**
 * `POST /background-jobs/batch` over HTTP: batches of 500, validated, authorized, durable when they are answered.
 *
 * The jobs wait: the only slot is taken by a job that holds it. What is measured against is the raw commits of the same
 * batches, recorded in this process and written again to a fresh file.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BACKOFF_DEFAULT } from "../src/actors/job/job.ts";
import type { JobSpec } from "../src/actors/jobs.ts";
import type { EventMeta } from "../src/events/event.ts";
import type { Commit } from "../src/events/store.ts";
import { replay } from "./commits.ts";
import { load, type LoadFigures, requestBytes } from "./http_load.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { newFile, openNoopRuntime } from "./noop_runtime.ts";
import { type ServerProcess, startDaybook } from "./server_process.ts";
import { latency, middle } from "./statistics.ts";

const BATCH_JOBS = 500;
const CONNECTIONS = 4;
/** Requests of a single job that weigh as much in a round as one batch. */
const SINGLES_PER_BATCH = 100;
const TOKEN = "token-of-the-bench";
const SETTLE_MS = 1_000;

const META: EventMeta = { actor: "admin", request_id: crypto.randomUUID(), causation_id: null, reason: null };
const JOB = { job_type: "noop", payload: { n: 1 } };
const SPEC: JobSpec = {
  ...JOB,
  queue: "default",
  priority: "normal",
  max_retries: 3,
  scheduled_at: null,
  timeout_seconds: 300,
  backoff: BACKOFF_DEFAULT,
  tags: [],
};

export const httpBatch: Measurement = { name: "http_batch", measure: measureBatches };

async function measureBatches({ dir, sizes }: Bench): Promise<Row[]> {
  const data = join(dir, "http");
  await Deno.mkdir(data);
  await using server = await startDaybook({
    DAYBOOK_DATA: data,
    DAYBOOK_PORT: "0",
    DAYBOOK_LOG_LEVEL: "WARNING",
    DAYBOOK_TOKEN: TOKEN,
    DAYBOOK_CONCURRENCY: "1",
    DAYBOOK_HANDLERS: fileURLToPath(new URL("handlers", import.meta.url)),
  });
  await takeTheSlot(server);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

  const warmUp = Math.ceil(sizes.warmUp / SINGLES_PER_BATCH);
  const batches = Math.ceil(sizes.requests / SINGLES_PER_BATCH);
  await under(server, warmUp);
  const rounds = [];
  for (let i = 0; i < sizes.rounds; i++) {
    const { latencies, perSecond } = await under(server, batches);
    const ours = perSecond * BATCH_JOBS;
    const raw = await rawPerSecond(dir, batches);
    rounds.push({ latencies, ours, raw, ratio: ours / raw });
  }
  const { latencies, ours, raw, ratio } = middle(rounds, (round) => round.ratio);
  return [
    row("http_batch", `jobs in batches of ${BATCH_JOBS} over HTTP, ${CONNECTIONS} connections`, {
      asked: (warmUp + sizes.rounds * batches) * BATCH_JOBS,
      done: await waitingJobs(server),
      per_second: ours,
      latency_ms: latency(latencies),
      reference: { what: "raw commits of the same bytes", per_second: raw, latency_ms: null, ratio },
      memory_mb: await server.memory(),
    }),
  ];
}

function under({ port }: ServerProcess, batches: number): Promise<LoadFigures> {
  const request = requestBytes(
    [
      "POST /api/system/background-jobs/batch HTTP/1.1",
      "Host: 127.0.0.1",
      `Authorization: Bearer ${TOKEN}`,
      "Content-Type: application/json",
    ],
    JSON.stringify({ jobs: Array(BATCH_JOBS).fill(JOB) }),
  );
  return load({
    port,
    request,
    connections: CONNECTIONS,
    requests: batches,
    expectedStatus: 201,
    answerBytes: 1024 * BATCH_JOBS,
  });
}

async function rawPerSecond(dir: string, batches: number): Promise<number> {
  const commits: Commit[] = [];
  const runtime = await openNoopRuntime({ path: newFile(dir), concurrency: 1, recordTo: commits });
  const from = commits.length;
  for (let i = 0; i < batches; i++) {
    await runtime.jobs.commands.createMany(Array(BATCH_JOBS).fill(SPEC), META);
  }
  await runtime.log.close();
  return batches * BATCH_JOBS / (await replay(newFile(dir), commits, from)) * 1000;
}

/** Resolves when the job runs. */
async function takeTheSlot(server: ServerProcess): Promise<void> {
  await call(server, "/background-jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ job_type: "hold" }),
  });
  let running = 0;
  while (running === 0) running = (await statuses(server)).processing;
}

async function waitingJobs(server: ServerProcess): Promise<number> {
  return (await statuses(server)).queued;
}

async function statuses(server: ServerProcess): Promise<Record<"queued" | "processing", number>> {
  return (await call(server, "/stats")).by_status;
}

async function call({ port }: ServerProcess, path: string, init: RequestInit = {}) {
  const headers = { Authorization: `Bearer ${TOKEN}`, ...init.headers };
  const response = await fetch(`http://127.0.0.1:${port}/api/system${path}`, { ...init, headers });
  return await response.json();
}
