/**
 * `POST /background-jobs` over HTTP: validated, authorized, durable when it is answered.
 *
 * The jobs are due in the far future, so that no handler runs. What is measured against is a server that does nothing
 * but read the body and answer as many bytes, under the same load in the same round.
 *
 * @module
 */
import { join } from "node:path";
import { load, type LoadFigures, requestBytes } from "./http_load.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { type ServerProcess, startDaybook, startServer } from "./server_process.ts";
import { latency, middle } from "./statistics.ts";

const CONNECTIONS = 64;
const TOKEN = "token-of-the-bench";
/** Long enough for what a start leaves behind to be over. */
const SETTLE_MS = 1_000;

export const httpCreate: Measurement = { name: "http_create", measure: measureHttp };

async function measureHttp({ dir, sizes }: Bench): Promise<Row[]> {
  const data = join(dir, "http");
  await Deno.mkdir(data);
  await using server = await startDaybook({
    DAYBOOK_DATA: data,
    DAYBOOK_PORT: "0",
    DAYBOOK_LOG_LEVEL: "WARNING",
    DAYBOOK_TOKEN: TOKEN,
  });
  await using bare = await startServer("bare_server.ts", ["--allow-net"]);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idle = await server.memory();

  await under(server, sizes.warmUp);
  await under(bare, sizes.warmUp);
  const rounds = [];
  for (let i = 0; i < sizes.rounds; i++) {
    const ours = await under(server, sizes.requests);
    const theirs = await under(bare, sizes.requests);
    rounds.push({ ours, theirs, ratio: ours.perSecond / theirs.perSecond });
  }
  const { ours, theirs, ratio } = middle(rounds, (round) => round.ratio);
  const stored = await storedJobs(server);
  const created = sizes.warmUp + sizes.rounds * sizes.requests;
  return [
    row("http_create", `POST /background-jobs, ${CONNECTIONS} connections`, {
      asked: created,
      done: stored,
      per_second: ours.perSecond,
      latency_ms: latency(ours.latencies),
      reference: {
        what: "a bare Deno.serve",
        per_second: theirs.perSecond,
        latency_ms: latency(theirs.latencies),
        ratio,
      },
      memory_mb: await server.memory(),
    }),
    row("server_idle", "the server, started and idle", { asked: 1, done: 1, memory_mb: idle }),
  ];
}

function under({ port }: ServerProcess, requests: number): Promise<LoadFigures> {
  const request = requestBytes(
    [
      "POST /api/system/background-jobs HTTP/1.1",
      "Host: 127.0.0.1",
      `Authorization: Bearer ${TOKEN}`,
      "Content-Type: application/json",
    ],
    JSON.stringify({
      job_type: "cache_flush",
      payload: { action: "full" },
      scheduled_at: "2099-01-01T00:00:00Z",
    }),
  );
  return load({ port, request, connections: CONNECTIONS, requests, expectedStatus: 201 });
}

async function storedJobs({ port }: ServerProcess): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/system/stats`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  const { total }: { total: number } = await response.json();
  return total;
}
