import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import type { JobStats } from "../../src/actors/jobs.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { ServerProcess } from "../support/server_process.ts";

const HANDLERS = fileURLToPath(new URL("./handlers", import.meta.url));
const JOBS = 20_000;
const PER_BATCH = 1_000;

/** Jobs that wait for tomorrow. */
async function createWaiting(server: ServerProcess, count: number): Promise<void> {
  const scheduled_at = new Date(Date.now() + 86_400_000).toISOString();
  for (let left = count; left > 0; left -= PER_BATCH) {
    const jobs = Array.from(
      { length: Math.min(left, PER_BATCH) },
      () => ({ job_type: "tick", scheduled_at }),
    );
    await server.post("/background-jobs/batch", { jobs });
  }
}

async function cancelledSoFar(server: ServerProcess): Promise<number> {
  return (await server.json<JobStats>("/stats")).by_status.cancelled;
}

Deno.test("a bulk cancel that kill -9 cuts off goes on after the restart and cancels every job once", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_bulk_crash_" });
  const env = {
    DAYBOOK_HANDLERS: HANDLERS,
    DAYBOOK_LOG_LEVEL: "ERROR",
    // An operation that is interrupted twice in a row waits this long, not two minutes.
    DAYBOOK_BACKOFF_BASE_SECONDS: "0.01",
  };
  try {
    const first = await ServerProcess.start({ dataDir, env });
    await createWaiting(first, JOBS);
    const filter = { status: "queued", job_type: "tick" };
    const { id } = await first.post<Job>("/background-jobs/bulk", { action: "cancel", filter });
    while (await cancelledSoFar(first) < JOBS / 10);
    await first.end("SIGKILL");

    await using second = await ServerProcess.start({ dataDir, env });
    const before = await createdLater(second);
    const job = await second.json<Job>(`/background-jobs/${id}?wait=60`);
    assertEquals([job.status, job.attempt], ["completed", 2]);
    const { matched, changed, refused } = job.result as Record<string, number>;
    assertEquals([matched, changed, refused], [JOBS, JOBS, 0]);
    assertEquals((await second.json<JobStats>("/stats")).by_type["tick"]?.cancelled, JOBS);
    assertEquals((await second.json<Job>(`/background-jobs/${before}`)).status, "queued");

    const events = await second.json<EventEnvelope[]>(`/background-jobs/${id}/events`);
    const story = events.map(({ type }) => type).filter((type) => type !== "job.progressed");
    assertEquals(story, ["job.created", "job.started", "job.interrupted", "job.started", "job.completed"]);
    const [any] = await second.json<Job[]>("/background-jobs?status=cancelled&limit=1");
    const history = await second.json<EventEnvelope[]>(`/background-jobs/${any!.id}/events`);
    assertEquals(history.at(-1)!.causation_id, String(events[0]!.position));
    assert(history.filter(({ type }) => type === "job.cancelled").length === 1);
    await second.end("SIGTERM");
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

async function createdLater(server: ServerProcess): Promise<string> {
  const scheduled_at = new Date(Date.now() + 86_400_000).toISOString();
  return (await server.post<Job>("/background-jobs", { job_type: "tick", scheduled_at })).id;
}
