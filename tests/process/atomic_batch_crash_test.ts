import { assert, assertEquals } from "@std/assert";
import type { Job } from "../../src/actors/job/job.ts";
import { UNDO } from "../../src/events/early_entries.ts";
import { audit, throughKv } from "../tasks/support/audit_runs.ts";
import { ServerProcess } from "../support/server_process.ts";

const JOBS = 100;
/** Enough to meet a batch between its commits, which most of its time is. */
const MOST_KILLS = 40;

function batch(name: string) {
  const jobs = Array.from({ length: JOBS }, (_, job) => ({
    job_type: "cleanup",
    scheduled_at: "2099-01-01T00:00:00.000Z",
    tags: [name, ...Array.from({ length: 19 }, (_, i) => `${name}-${job}-${i}`.padEnd(64, "t"))],
  }));
  return { atomic: true, jobs };
}

/** Creates batches until the server is gone. */
async function createUntilDead(server: ServerProcess, acknowledged: Map<string, boolean>): Promise<void> {
  for (;;) {
    const name = `batch-${acknowledged.size}`;
    acknowledged.set(name, false);
    const answer = await server.post("/background-jobs/batch", batch(name)).catch(() => undefined);
    if (!answer) return;
    acknowledged.set(name, true);
  }
}

Deno.test("an atomic batch that kill -9 meets between its commits is not there, and each that was acknowledged is, whole", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_atomic_" });
  const kv = `${dataDir}/daybook.kv`;
  const acknowledged = new Map<string, boolean>();
  try {
    for (let kill = 0, isMet = false; !isMet; kill++) {
      assert(kill < MOST_KILLS, "no kill came between the commits of a batch");
      const server = await ServerProcess.start({ dataDir });
      const load = createUntilDead(server, acknowledged);
      await new Promise((resolve) => setTimeout(resolve, 150 + 37 * (kill % 10)));
      await server.end("SIGKILL");
      await load;
      const records = await throughKv(kv, (store) => store.list({ prefix: [UNDO] }, { limit: 1 }));
      isMet = records.length > 0;
    }
    const replayed = await audit(["replay", "--kv", kv]);
    assertEquals(replayed.code, 0, replayed.out + replayed.err);

    await using server = await ServerProcess.start({ dataDir });
    let whole = 0;
    for (const [name, isAcknowledged] of acknowledged) {
      const jobs = await server.json<Job[]>(`/background-jobs?tag=${name}&limit=500`);
      assert(
        isAcknowledged ? jobs.length === JOBS : [0, JOBS].includes(jobs.length),
        `${name}: ${jobs.length}`,
      );
      if (jobs.length > 0) whole += 1;
    }
    const { total } = await server.json<{ total: number }>("/stats");
    assertEquals(total, whole * JOBS);
    await server.end("SIGTERM");
    assertEquals(await throughKv(kv, (store) => store.list({ prefix: [UNDO] }, { limit: 1 })), []);
    assertEquals((await audit(["verify", "--kv", kv])).code, 0);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
