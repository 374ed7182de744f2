/**
 * `at=` on a running server: a job and the list as they were.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { ServerProcess } from "../support/server_process.ts";

Deno.test("at= answers as of each event of a job's history, and after the job was deleted", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_as_of_" });
  try {
    await using server = await ServerProcess.start({
      dataDir,
      env: {
        DAYBOOK_LOG_LEVEL: "ERROR",
        DAYBOOK_HANDLERS: fileURLToPath(new URL("handlers", import.meta.url)),
      },
    });
    const { id } = await server.post<Job>("/background-jobs", { job_type: "tick", payload: { ms: 30 } });
    await server.json(`/background-jobs/${id}?wait=30`);
    const history = await server.json<EventEnvelope[]>(`/background-jobs/${id}/events`);
    assertEquals((await server.fetch(`/background-jobs/${id}`, { method: "DELETE" })).status, 204);

    const states = { "job.started": "processing", "job.completed": "completed" } as Record<string, string>;
    for (const { type, time, version } of history.slice(1)) {
      const response = await server.fetch(`/background-jobs/${id}?at=${time}`);
      const job: Job = await response.json();
      assertEquals([job.status, job.version], [states[type], version]);
      assertEquals(response.headers.get("ETag")?.includes(String(version)), true);
      const listed = await server.json<Job[]>(`/background-jobs?at=${time}&status=${states[type]}`);
      assertEquals(listed, [job]);
    }
    const now = await server.json<Job[]>(`/background-jobs?at=${new Date().toISOString()}`);
    assertEquals(now, []);
    const refusals: [string, number, string][] = [
      [`/background-jobs?at=2001-01-01T00:00:00Z`, 422, "The moment is before the log began"],
      [`/background-jobs?at=2101-01-01T00:00:00Z`, 422, "The moment has not come yet"],
      [`/background-jobs?at=yesterday`, 422, ""],
      [`/background-jobs/${id}?at=${history[1]!.time}&wait=3`, 422, "cannot be waited for"],
      [`/background-jobs/${id.replace(/^.{8}/, "00000000")}?at=${history[1]!.time}`, 404, ""],
    ];
    for (const [path, status, message] of refusals) {
      const response = await server.fetch(path);
      const problem = await response.json();
      assertEquals(
        [response.status, problem.detail.includes(message)],
        [status, true],
        `${path}: ${problem.detail}`,
      );
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
