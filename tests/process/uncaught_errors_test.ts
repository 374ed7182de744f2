import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import { ServerProcess } from "../support/server_process.ts";

const HANDLERS = fileURLToPath(new URL("./handlers", import.meta.url));

Deno.test("an error that a handler leaves to nobody ends neither Daybook nor a job, and its line names the job", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_stray_" });
  try {
    await using server = await ServerProcess.start({ dataDir, env: { DAYBOOK_HANDLERS: HANDLERS } });
    const bystander = await server.post<Job>("/background-jobs", {
      job_type: "tick",
      payload: { ms: 1_000 },
    });
    for (const where of ["promise", "microtask", "listener", "timer"]) {
      const { id } = await server.post<Job>("/background-jobs", { job_type: "stray", payload: { where } });
      const job = await server.json<Job>(`/background-jobs/${id}?wait=10`);
      assertEquals([job.status, job.attempt], ["completed", 1], where);
      // The place is in the payload, so it is not shown. A timer has forgotten whose it was; the stack tells the file.
      const line = where === "timer"
        ? /ERROR - Something failed that nothing catches: Error\\n +at .*handlers\/stray\.ts:\d+/
        : new RegExp(
          `ERROR - 💥 Job ${id} left an error that nothing catches \\(stray, attempt 1\\): Error: stray in a … at file:\\S+/stray\\.ts:\\d+:\\d+\\n`,
        );
      assertMatch(server.output, line);
    }
    const other = await server.json<Job>(`/background-jobs/${bystander.id}?wait=10`);
    assertEquals([other.status, other.interrupt_count], ["completed", 0]);
    assertEquals((await server.end("SIGTERM")).code, 0);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
