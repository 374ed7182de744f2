import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Job } from "../../src/actors/job/job.ts";
import type { JobStats } from "../../src/actors/jobs.ts";
import { smallDisk } from "../logging/small_disk.ts";
import { ServerProcess } from "../support/server_process.ts";

const FILLER_BYTES = 6_000_000;
const DISK_BYTES = 12 * 1024 * 1024;
const LIMIT_MS = 30_000;

const ignore = smallDisk.unavailable;
const reason = ignore ? " (skipped: a small disk cannot be mounted here)" : "";

async function untilReady(server: ServerProcess): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const response = await fetch(`${server.url}/readyz`);
    await response.body?.cancel();
    if (response.status === 200) return;
    assert(performance.now() < limit, `not ready again after ${LIMIT_MS} ms:\n${server.output}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  try {
    for (;;) await file.write(new Uint8Array(4_096));
  } catch (error) {
    assertStringIncludes((error as Error).message, "No space left");
  }
}

/** The small commit that settles a lost one may still fit; then there is room for a while. */
async function staysUnready(server: ServerProcess): Promise<boolean> {
  for (let look = 0; look < 10; look++) {
    const response = await fetch(`${server.url}/readyz`);
    await response.body?.cancel();
    if (response.status === 200) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

const body = JSON.stringify({
  job_type: "cleanup",
  // Never due in this test, so that nothing but creations writes.
  scheduled_at: "2999-01-01T00:00:00Z",
  tags: Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(64, "x")),
});

Deno.test({
  name:
    `a full disk is told with 503, loses nothing acknowledged, and work goes on when there is room${reason}`,
  ignore,
  async fn() {
    await using disk = await smallDisk.mount(DISK_BYTES);
    const dataDir = disk.path;
    await Deno.writeFile(`${dataDir}/filler`, new Uint8Array(FILLER_BYTES));
    const env = { DAYBOOK_LOG_LEVEL: "WARNING" };
    const acknowledged = new Set<string>();
    let refused = 0;
    {
      await using server = await ServerProcess.start({ dataDir, env });
      const create = () => server.fetch("/background-jobs", { method: "POST", body });
      for (let full = false; !full;) {
        for (const response of await Promise.all(Array.from({ length: 8 }, create))) {
          if (response.status === 201) acknowledged.add((await response.json() as Job).id);
          else {
            assertEquals(response.status, 503);
            assert(Number(response.headers.get("Retry-After")) > 0);
            assertStringIncludes((await response.json()).detail, "full");
            refused += 1;
            full = true;
          }
        }
        assert(acknowledged.size < 20_000, "the disk never became full");
      }
      // Whether `/readyz` is 503 now depends on whether the small commit that settles the lost one still fits.
      const [some] = acknowledged;
      assertEquals((await server.json<Job>(`/background-jobs/${some}`)).id, some);

      await Deno.remove(`${dataDir}/filler`);
      await untilReady(server);
      const response = await create();
      assertEquals(response.status, 201);
      acknowledged.add((await response.json() as Job).id);
      assertEquals((await server.end("SIGTERM")).code, 0);
    }
    await using again = await ServerProcess.start({ dataDir, env });
    for (const id of acknowledged) {
      assertEquals((await again.json<Job>(`/background-jobs/${id}`)).status, "queued");
    }
    const { total } = await again.json<JobStats>("/stats");
    // One whose answer was "unknown" may be there or not.
    assert(total >= acknowledged.size && total <= acknowledged.size + refused);
    await again.end("SIGTERM");
  },
});

Deno.test({
  name: `a stop on a full disk says why it cannot wait, ends, and loses nothing acknowledged${reason}`,
  ignore,
  async fn() {
    await using disk = await smallDisk.mount(4_000_000);
    const env = { DAYBOOK_LOG_LEVEL: "INFO" };
    const acknowledged: string[] = [];
    {
      await using server = await ServerProcess.start({ dataDir: disk.path, env });
      await fill(`${disk.path}/filler`);
      while (!await staysUnready(server)) {
        const response = await server.fetch("/background-jobs", { method: "POST", body });
        const answer = await response.json();
        if (response.status === 201) acknowledged.push((answer as Job).id);
        else assertEquals(response.status, 503);
      }
      server.process.kill("SIGTERM");
      await server.waitForLine(/SIGTERM: taking no new work/);
      assertEquals((await server.end("SIGTERM")).code, 1);
      assertStringIncludes(server.output, "Stopping although the log takes no writes: ");
    }
    await Deno.remove(`${disk.path}/filler`);
    await using again = await ServerProcess.start({ dataDir: disk.path, env });
    for (const id of acknowledged) {
      assertEquals((await again.json<Job>(`/background-jobs/${id}`)).status, "queued");
    }
    await again.end("SIGTERM");
  },
});
