/**
 * `POST /background-jobs` over HTTP: validated, authorized, durable when it is answered.
 *
 * The jobs wait: the only slot is taken by a job that holds it. What is measured against is a server that does nothing
 * but read the body and answer as many bytes, under the same load in the same round.
 *
 * @module
 */
import { join } from "node:path";
import { NOOP, postRequest, startServerOfOneSlot, takeTheSlot, waitingJobs } from "./held_server.ts";
import { load, type LoadFigures } from "./http_load.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { type ServerProcess, startServer } from "./server_process.ts";
import { latency, middle } from "./statistics.ts";

const CONNECTIONS = 64;

export const httpCreate: Measurement = { name: "http_create", measure: measureHttp };

async function measureHttp({ dir, sizes }: Bench): Promise<Row[]> {
  await using server = await startServerOfOneSlot(join(dir, "http"));
  await using bare = await startServer("bare_server.ts", ["--allow-net"]);
  const idle = await server.memory();
  await takeTheSlot(server);

  // V8 has compiled what a request runs through only after some ten thousand of them.
  await under(server, sizes.requests);
  await under(bare, sizes.requests);
  const rounds = [];
  for (let i = 0; i < sizes.rounds; i++) {
    const ours = await under(server, sizes.requests);
    const theirs = await under(bare, sizes.requests);
    rounds.push({ ours, theirs, ratio: ours.perSecond / theirs.perSecond });
  }
  const { ours, theirs, ratio } = middle(rounds, (round) => round.ratio);
  const stored = await waitingJobs(server);
  const created = (1 + sizes.rounds) * sizes.requests;
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
  const request = postRequest("/background-jobs", NOOP);
  return load({ port, request, connections: CONNECTIONS, requests, expectedStatus: 201 });
}
