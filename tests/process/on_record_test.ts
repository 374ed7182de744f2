/**
 * What a server puts on record of itself and of those who use it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import { decodeEvent, type EventEnvelope } from "../../src/events/event.ts";
import { readEvents } from "../../src/events/event_page.ts";
import { splitNotes } from "../../src/events/merkle/signed_note.ts";
import { SqliteSnapshot } from "../../src/events/sqlite_snapshot.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { ServerProcess } from "../support/server_process.ts";
import { audit } from "../tasks/support/audit_runs.ts";

const ENV = {
  DAYBOOK_LOG_LEVEL: "ERROR",
  DAYBOOK_HANDLERS: fileURLToPath(new URL("handlers", import.meta.url)),
};

async function eventsOf(dataDir: string): Promise<EventEnvelope[]> {
  const snapshot = SqliteSnapshot.open(`${dataDir}/daybook.kv`);
  try {
    return (await readEvents(snapshot, 0, 0, 1e6)).map(decodeEvent);
  } finally {
    snapshot.close();
  }
}

/** One server's life. */
async function run(
  dataDir: string,
  env: Record<string, string>,
  use: (server: ServerProcess) => Promise<void> = () => Promise.resolve(),
): Promise<EventEnvelope[]> {
  const before = await eventsOf(dataDir).catch(() => []);
  await using server = await ServerProcess.start({ dataDir, env: { ...ENV, ...env } });
  await use(server);
  await server.end("SIGTERM");
  return (await eventsOf(dataDir)).slice(before.length);
}

Deno.test("the configuration and the token are put on record at the first start, and again only when they change", async () => {
  await withTempDir(async (dataDir) => {
    const smtp = "smtp://user:a-secret-password@mail.example.com";
    const first = await run(dataDir, { DAYBOOK_SMTP_URL: smtp });
    assertEquals(first.map(({ type, actor, version }) => [type, actor, version]), [
      ["config.changed", "system", 1],
      ["token.changed", "system", 1],
    ]);
    const { settings, changed } = first[0]!.data as { settings: Record<string, unknown>; changed: string[] };
    assertEquals(changed, Object.keys(settings));
    assertEquals(settings["DAYBOOK_SMTP_URL"], "smtp://mail.example.com…");
    assert(/^[0-9a-f-]{36}\+[0-9a-f]{8}\+/.test(settings["signing_key"] as string));

    assertEquals(await run(dataDir, { DAYBOOK_SMTP_URL: smtp }), []);
    const third = await run(dataDir, {
      DAYBOOK_CONCURRENCY: "3",
      DAYBOOK_TOKEN: "another-token-for-the-tests",
    });
    assertEquals(third.map(({ type, data }) => [type, data["changed"]]), [
      ["config.changed", ["DAYBOOK_CONCURRENCY", "DAYBOOK_SMTP_URL"]],
      ["token.changed", undefined],
    ]);
    const all = JSON.stringify(await eventsOf(dataDir));
    for (const secret of ["a-secret-password", "a-token-for-the-tests", "another-token"]) {
      assert(!all.includes(secret), secret);
    }
  });
});

Deno.test("a new signing key is on record, and the checkpoints of the old one still verify with the new", async () => {
  await withTempDir(async (dataDir) => {
    const key = () =>
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const use = async (server: ServerProcess) =>
      void await server.post<Job>("/background-jobs", { job_type: "tick" });
    await run(dataDir, {}, use);
    const oldKey = (await eventsOf(dataDir))[0]!.data["settings"] as Record<string, string>;
    const path = `${dataDir}/keys/log.ed25519`;
    await Deno.writeTextFile(path, key());
    const second = await run(dataDir, {}, use);
    assertEquals(second[0]!.data["changed"], ["signing_key"]);
    const withNew = await audit(["verify"], { DAYBOOK_DATA: dataDir });
    assertEquals(withNew.code, 0, withNew.out);
    const withOld = await audit(["verify", "--key", oldKey["signing_key"]!], { DAYBOOK_DATA: dataDir });
    assertEquals(withOld.code, 1, "who knows the old key only cannot tell who signed the rest");
    assert(withOld.out.includes("events is not signed by the key"), withOld.out);
    await Deno.writeTextFile(path, key());
    const withStrange = await audit(["verify"], { DAYBOOK_DATA: dataDir });
    assertEquals(withStrange.code, 1, "a key that never signed makes none of them good");
  });
});

Deno.test("audit reads are on record with who, what and the request; feeds are not", async () => {
  await withTempDir(async (dataDir) => {
    const events = await run(dataDir, {}, async (server) => {
      const { id } = await server.post<Job>("/background-jobs", { job_type: "tick", payload: {} });
      await server.json(`/background-jobs/${id}/events`);
      await server.json("/audit/inclusion?position=0&size=2", { headers: { "X-Request-Id": "request-7" } });
      const refused = await server.fetch("/audit/inclusion?position=9999&size=99999");
      assertEquals(refused.status, 422);
      await refused.body?.cancel();
    });
    const reads = events.filter(({ type }) => type === "audit.read");
    assertEquals(reads.map(({ actor, request_id, data }) => ({ actor, request_id, data })), [{
      actor: "admin",
      request_id: "request-7",
      data: { path: "/api/system/audit/inclusion", query: { position: "0", size: "2" } },
    }]);
  });
});

Deno.test("failed logins are on record with their address and count, and without what was tried", async () => {
  await withTempDir(async (dataDir) => {
    const events = await run(dataDir, {}, async (server) => {
      for (let n = 0; n < 5; n++) {
        const refused = await server.fetchAs(`guess-${n}`, "/stats");
        assertEquals(refused.status, 401);
        await refused.body?.cancel();
      }
    });
    const failed = events.filter(({ type }) => type === "login.failed");
    assertEquals(failed.map(({ actor, data }) => [actor, data["address"], data["count"]]), [[
      "nobody",
      "127.0.0.1",
      5,
    ]]);
    assert(!JSON.stringify(events).includes("guess-"));
    assertEquals((await audit(["verify"], { DAYBOOK_DATA: dataDir })).code, 0);
  });
});

Deno.test("the witness has every checkpoint, and with it an old copy that was put back is found", async () => {
  await withTempDir(async (dataDir) => {
    const witness = `${dataDir}/witness`;
    const use = async (server: ServerProcess) =>
      void await server.post<Job>("/background-jobs", { job_type: "tick" });
    await run(dataDir, { DAYBOOK_WITNESS: witness }, use);
    await Deno.copyFile(`${dataDir}/daybook.kv`, `${dataDir}/old.kv`);
    await run(dataDir, { DAYBOOK_WITNESS: witness }, use);
    const kept = splitNotes(await Deno.readTextFile(witness));
    assert(kept.length >= 2);
    const now = await audit(["verify", "--checkpoint", witness], { DAYBOOK_DATA: dataDir });
    assertEquals(now.code, 0, now.out);
    const old = await audit(["verify", "--kv", `${dataDir}/old.kv`, "--checkpoint", witness]);
    assertEquals(old.code, 1);
    assert(old.out.includes("the log ends here, but there is an outside checkpoint"), old.out);
  });
});
