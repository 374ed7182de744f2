/**
 * `POST /background-jobs/batch` over HTTP: batches of 500, validated, authorized, durable when they are answered.
 *
 * The jobs wait: the only slot is taken by a job that holds it. What is measured against is the raw commits of the same
 * batches, recorded in this process and written again to a fresh file.
 *
 * @module
 */
import { join } from "node:path";
import { BACKOFF_DEFAULT } from "../src/actors/job/job.ts";
import type { JobSpec } from "../src/actors/jobs.ts";
import type { EventMeta } from "../src/events/event.ts";
import type { Commit } from "../src/events/store.ts";
import { replay } from "./commits.ts";
import { NOOP, postRequest, startServerOfOneSlot, takeTheSlot, waitingJobs } from "./held_server.ts";
import { load, type LoadFigures } from "./http_load.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { newFile, openNoopRuntime } from "./noop_runtime.ts";
import type { ServerProcess } from "./server_process.ts";
import { latency, middle } from "./statistics.ts";

const BATCH_JOBS = 500;
const CONNECTIONS = 4;
/** Requests of a single job that weigh as much in a round as one batch. */
const SINGLES_PER_BATCH = 100;

const META: EventMeta = { actor: "admin", request_id: crypto.randomUUID(), causation_id: null, reason: null };
const SPEC: JobSpec = {
  ...NOOP,
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
  await using server = await startServerOfOneSlot(join(dir, "http"));
  await takeTheSlot(server);

  const batches = Math.ceil(sizes.requests / SINGLES_PER_BATCH);
  await under(server, batches);
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
      asked: (1 + sizes.rounds) * batches * BATCH_JOBS,
      done: await waitingJobs(server),
      per_second: ours,
      latency_ms: latency(latencies),
      reference: { what: "raw commits of the same bytes", per_second: raw, latency_ms: null, ratio },
      memory_mb: await server.memory(),
    }),
  ];
}

function under({ port }: ServerProcess, batches: number): Promise<LoadFigures> {
  const request = postRequest("/background-jobs/batch", { jobs: Array(BATCH_JOBS).fill(NOOP) });
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
