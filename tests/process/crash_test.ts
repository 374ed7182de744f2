import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { ServerProcess } from "../support/server_process.ts";

const HANDLERS = fileURLToPath(new URL("./handlers", import.meta.url));
const KILLS = 25;
const CALLERS = 8;

/** A fixed sequence of draws from [0, 1), so that a failure can be repeated. */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Creates jobs until the server is gone; every id that it acknowledged goes into `acknowledged`. */
async function createUntilDead(server: ServerProcess, acknowledged: Set<string>): Promise<void> {
  for (let n = 0;; n++) {
    const body = { job_type: "tick", payload: { ms: n % 7 } };
    const job = await server.post<Job>("/background-jobs", body).catch(() => undefined);
    if (!job) return;
    acknowledged.add(job.id);
  }
}

function assertLawful(id: string, events: readonly EventEnvelope[]): void {
  assertEquals(events.map(({ version }) => version), events.map((_, i) => i + 1), `versions of ${id}`);
  let running = false;
  let attempt = 0;
  for (const { type, data } of events) {
    if (type === "job.started") {
      assert(!running, `two attempts of ${id} at once`);
      assertEquals(data["attempt"], ++attempt, `attempts of ${id}`);
      running = true;
    } else if (["job.completed", "job.failed", "job.attempt_failed", "job.interrupted"].includes(type)) {
      assert(running, `an outcome of ${id} without an attempt`);
      running = false;
    }
  }
  assertEquals(events.filter(({ type }) => type === "job.completed").length, 1, `completions of ${id}`);
}

Deno.test(`kill -9 at ${KILLS} random moments under load loses no acknowledged job and accepts no attempt twice`, async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_crash_" });
  const env = {
    DAYBOOK_HANDLERS: HANDLERS,
    DAYBOOK_LOG_LEVEL: "ERROR",
    // A job that is interrupted twice in a row waits this long, not two minutes.
    DAYBOOK_BACKOFF_BASE_SECONDS: "0.01",
  };
  const draw = draws(20_260_107);
  const acknowledged = new Set<string>();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const server = await ServerProcess.start({ dataDir, env });
      const load = Array.from({ length: CALLERS }, () => createUntilDead(server, acknowledged));
      await new Promise((resolve) => setTimeout(resolve, 30 + draw() * 400));
      await server.end("SIGKILL");
      await Promise.all(load);
    }
    await using server = await ServerProcess.start({ dataDir, env });
    assert(acknowledged.size > KILLS, "the load reached the server");
    for (const id of acknowledged) {
      const job = await server.json<Job>(`/background-jobs/${id}?wait=60`);
      // Three interruptions in a row end a job by rule; everything else completes.
      if (job.status === "failed") {
        assert(job.error_message?.startsWith("InterruptedError"), job.error_message!);
      } else {
        assertEquals(job.status, "completed");
        assertLawful(id, await server.json<EventEnvelope[]>(`/background-jobs/${id}/events`));
      }
    }
    await server.end("SIGTERM");
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
