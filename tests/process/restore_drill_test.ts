/**
 * The restore drill: a server loses its file and begins anew from a backup that was made while it worked.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { runTask } from "../support/task_run.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { ServerProcess } from "../support/server_process.ts";

const ENV = {
  DAYBOOK_LOG_LEVEL: "ERROR",
  DAYBOOK_HANDLERS: fileURLToPath(new URL("handlers", import.meta.url)),
};

const task = (name: string, args: readonly string[], dataDir: string) =>
  runTask(name, args, { DAYBOOK_DATA: dataDir });

const tick = (server: ServerProcess, ms: number) =>
  server.post<Job>("/background-jobs", { job_type: "tick", payload: { ms } });

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const value = await read();
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("it did not come to pass within ten seconds");
}

Deno.test("after a restore the jobs of the backup are back, what was running is interrupted, and the log is a new one", async () => {
  await withTempDir(async (dataDir) => {
    const path = `${dataDir}/daybook.kv`;
    const backup = `${dataDir}/kept/backup.kv`;
    let done: Job, running: Job, lost: Job, seen: number, oldLog: string;
    {
      await using server = await ServerProcess.start({ dataDir, env: ENV });
      const job = (id: string) => server.json<Job>(`/background-jobs/${id}`);
      done = await tick(server, 0);
      running = await tick(server, 600_000);
      await until(() => job(done.id), ({ status }) => status === "completed");
      await until(() => job(running.id), ({ status }) => status === "processing");
      const made = await task("backup", ["--out", backup, "--json"], dataDir);
      assertEquals(made.code, 0, made.err);
      oldLog = JSON.parse(made.out).log_id;
      assertEquals((await Deno.stat(backup)).mode! & 0o777, 0o600);
      lost = await tick(server, 0);
      await server.post(`/background-jobs/${running.id}/cancel`, {});
      seen = (await until(() => job(running.id), ({ status }) => status === "cancelled")).version;
      await server.end("SIGKILL");
    }
    for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});

    const restored = await task("restore", [backup, "--json"], dataDir);
    assertEquals(restored.code, 0, restored.err + restored.out);
    const { log_id, from_log_id, events } = JSON.parse(restored.out);
    assertEquals(from_log_id, oldLog);
    assert(log_id !== oldLog);

    await using server = await ServerProcess.start({ dataDir, env: ENV });
    const job = (id: string) => server.json<Job>(`/background-jobs/${id}`);
    assertEquals((await job(done.id)).status, "completed");
    const gone = await server.fetch(`/background-jobs/${lost.id}`);
    assertEquals(gone.status, 404);
    await gone.body?.cancel();
    const history = await until(
      () => server.json<EventEnvelope[]>(`/background-jobs/${running.id}/events`),
      (history) => history.some(({ type }) => type === "job.interrupted"),
    );
    assert(history.every(({ log_id: id, position }) => id === (position < events ? oldLog : log_id)));

    // The same versions were given out again, to other events.
    const follow = (lastEventId: string) =>
      server.fetch(`/background-jobs/${running.id}/events`, {
        headers: { Accept: "text/event-stream", "Last-Event-ID": lastEventId },
      });
    const common = history.filter(({ log_id }) => log_id === oldLog).length;
    for (const id of [String(seen), String(seen + 100)]) {
      const feed = await follow(id);
      assertEquals(feed.status, 410);
      assertEquals((await feed.json()).last_event_id, String(common));
    }
    const feed = await follow(String(common));
    assertEquals(feed.status, 200);
    const reader = feed.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("id: ")) text += (await reader.read()).value;
    assert(text.includes(`id: ${common + 1}.1\n`), text);
    await reader.cancel();
    const again = await follow(`${common + 1}.1`);
    assertEquals(again.status, 200);
    await again.body?.cancel();

    await server.end("SIGTERM");
    const verified = await task("audit", ["verify", "--json"], dataDir);
    const report = JSON.parse(verified.out);
    assertEquals([verified.code, report.valid, report.log_id], [0, true, log_id], verified.out);
    assertEquals(report.signatures.right, report.checkpoints);
    const proved = await task("audit", ["prove", done.id, "--out", `${dataDir}/done.proof`], dataDir);
    assertEquals(proved.code, 0, proved.err);
  });
});

Deno.test("the first event of a restored log names the old one with size and root, and a second restore goes on from there", async () => {
  await withTempDir(async (dataDir) => {
    {
      await using server = await ServerProcess.start({ dataDir, env: ENV });
      await tick(server, 0);
      await server.end("SIGTERM");
    }
    const ids = new Set<string>();
    for (let n = 0; n < 3; n++) {
      const backup = `${dataDir}/backup-${n}.kv`;
      const made = await task("backup", ["--out", backup, "--json"], dataDir);
      assertEquals(made.code, 0, made.err);
      const { log_id, events } = JSON.parse(made.out);
      ids.add(log_id);
      await Deno.remove(`${dataDir}/daybook.kv`);
      for (const suffix of ["-wal", "-shm"]) {
        await Deno.remove(`${dataDir}/daybook.kv${suffix}`).catch(() => {});
      }
      const restored = await task("restore", [backup, "--json"], dataDir);
      assertEquals(restored.code, 0, restored.err + restored.out);
      {
        await using server = await ServerProcess.start({ dataDir, env: ENV });
        const text = await (await server.fetch(`/audit/entries?start=${events}&end=${events + 1}`)).text();
        const event = JSON.parse(text);
        assertEquals([event.type, event.actor, event.version], ["log.restored", "restore", 1]);
        assertEquals([event.data.log_id, event.data.size], [log_id, events]);
        const proof = await server.json<{ root: string }>(`/audit/inclusion?position=0&size=${events}`);
        assertEquals(event.data.root, proof.root);
        await tick(server, 0);
        await server.end("SIGTERM");
      }
    }
    assertEquals(ids.size, 3);
    const verified = await task("audit", ["verify", "--json"], dataDir);
    assertEquals(verified.code, 0, verified.out);
  });
});

Deno.test("restore refuses what does not verify, what is no backup, and to write over a log; backup refuses a damaged log", async () => {
  await withTempDir(async (dataDir) => {
    {
      await using server = await ServerProcess.start({ dataDir, env: ENV });
      await tick(server, 0);
      await server.end("SIGTERM");
    }
    const path = `${dataDir}/daybook.kv`;
    const backup = `${dataDir}/backup.kv`;
    assertEquals((await task("backup", ["--out", backup], dataDir)).code, 0);
    const again = await task("backup", ["--out", backup], dataDir);
    assertEquals([again.code, again.err], [2, `${backup} is there already: name another file with --out\n`]);
    const over = await task("restore", [backup], dataDir);
    assertEquals(over.code, 2);
    assert(over.err.includes(`${path} is there already: stop the server and move it away first`), over.err);

    const kv = ["--kv", `${dataDir}/other.kv`];
    await Deno.writeTextFile(`${dataDir}/letter`, "nonsense");
    for (const [file, message] of [["letter", "file is not a database"], ["none", "there is no such file"]]) {
      const refused = await task("restore", [`${dataDir}/${file}`, ...kv], dataDir);
      assertEquals(refused.code, 2);
      assert(refused.err.includes(message!), refused.err);
    }
    const bytes = await Deno.readFile(backup);
    const text = new TextDecoder("latin1").decode(bytes);
    // Wherever it stands; what SQLite gave up may hold one too.
    for (let at = -1; (at = text.indexOf('"actor":"', at + 1)) !== -1;) {
      bytes.set(new TextEncoder().encode('"actor":"x'), at);
    }
    await Deno.writeFile(`${dataDir}/forged.kv`, bytes);
    const forged = await task("restore", [`${dataDir}/forged.kv`, ...kv], dataDir);
    assertEquals(forged.code, 1, forged.err);
    assert(forged.out.includes("Nothing was restored, since the backup does not verify"), forged.out);
    assertEquals([...Deno.readDirSync(dataDir)].filter(({ name }) => name.startsWith("other")), []);

    await Deno.rename(`${dataDir}/forged.kv`, path);
    const unkept = await task("backup", ["--out", `${dataDir}/second.kv`], dataDir);
    assertEquals(unkept.code, 1, unkept.err);
    assert(unkept.out.includes("No backup was kept, since the log does not verify"), unkept.out);
    assertEquals([...Deno.readDirSync(dataDir)].filter(({ name }) => name.startsWith("second")), []);
  });
});

Deno.test("backup --help and restore --help tell their options", async () => {
  const [backup, restore] = await Promise.all([
    task("backup", ["--help"], "/tmp"),
    task("restore", ["--help"], "/tmp"),
  ]);
  assertEquals([backup.code, restore.code], [0, 0]);
  for (const option of ["--out", "--json"]) assert(backup.out.includes(option), backup.out);
  for (const option of ["--kv", "--key", "--checkpoint", "--json"]) {
    assert(restore.out.includes(option), restore.out);
  }
});
