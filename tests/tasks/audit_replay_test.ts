/**
 * `deno task audit replay` as an operator runs it: on files, on copies, and beside a running server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { projectionDifferences } from "../support/consistency.ts";
import type { Job } from "../../src/actors/job/job.ts";
import type { StoreKey } from "../../src/events/store.ts";
import { lockStore } from "../../src/wiring/store_lock.ts";
import { tamper, viewsOf } from "../audit/support/random_log.ts";
import { audit, throughKv, withFile } from "./support/audit_runs.ts";
import { ServerProcess } from "../support/server_process.ts";

async function replayJson(path: string, ...more: string[]) {
  const { code, out, err } = await audit(["replay", "--kv", path, "--json", "--show", "1000", ...more]);
  assert(out.startsWith("{"), err);
  return { code, ...JSON.parse(out) };
}

Deno.test("audit replay exits 0 on a file where all is as the log says, and tells what it read", async () => {
  await withFile(async (path) => {
    const views = await throughKv(path, viewsOf);
    const { code, equal, events, entries, differences, violations, kv, repaired } = await replayJson(path);
    assertEquals({ code, equal, kv, repaired }, { code: 0, equal: true, kv: path, repaired: null });
    assertEquals([differences.total, violations.total, entries], [0, 0, views.length]);
    assert(events > 0);

    const text = await audit(["replay"], { DAYBOOK_KV: path });
    assertEquals(text.code, 0);
    assert(text.out.includes(`Replayed ${events} events`), text.out);
    assert(text.out.endsWith("What is shown is what is logged\n"), text.out);
    assertEquals(text.err, "", "no bar where there is no terminal");
  });
});

Deno.test("audit replay names damage to every kind of entry, and --repair mends all of it", async () => {
  await withFile(async (path) => {
    const views = await throughKv(path, viewsOf);
    const kinds = new Map<string, StoreKey>();
    for (const { key } of views) kinds.set(key[0] as string, key);
    assertEquals([...kinds.keys()].sort(), ["0j", "0l", "c", "d", "g", "i", "m", "p", "r", "w", "x", "z"]);
    const stranger: StoreKey = ["q", "nobody"];
    const damaged = [...kinds.values(), stranger].map((key) => JSON.stringify(key)).sort();
    await throughKv(
      path,
      (store) =>
        tamper(store, [...kinds.values(), stranger].map((key) => ({ key, value: new Uint8Array([0x7b]) }))),
    );

    const found = await replayJson(path);
    const shown = found.differences.shown as { key: StoreKey; is: string; should_be: unknown }[];
    assertEquals([found.code, found.equal, found.repaired], [1, false, null]);
    assertEquals(shown.map(({ key }) => JSON.stringify(key)).sort(), damaged);
    assert(shown.every(({ is }) => is === "{"));
    assertEquals(shown.find(({ key }) => key[0] === "q")!.should_be, null);

    const repaired = await replayJson(path, "--repair");
    assertEquals([repaired.code, repaired.equal, repaired.differences.total], [0, true, damaged.length]);
    assertEquals(repaired.repaired.differences.total, 0);
    assertEquals(repaired.repaired.written + repaired.repaired.deleted, damaged.length);
    assertEquals(await throughKv(path, viewsOf), views);
    assertEquals(await throughKv(path, (store) => projectionDifferences(store)), []);
  });
});

Deno.test("audit replay tells of damage in words", async () => {
  await withFile(async (path) => {
    const [row] = await throughKv(path, (store) => store.list({ prefix: ["0j"] }, { limit: 1 }));
    const state = JSON.parse(new TextDecoder().decode(row!.value));
    const value = new TextEncoder().encode(JSON.stringify({ ...state, attempt: 99 }));
    await throughKv(path, (store) => tamper(store, [{ key: row!.key, value }, { key: ["q", 1], value }]));
    const { code, out } = await audit(["replay", "--kv", path, "--show", "1"]);
    assertEquals(code, 1);
    assert(out.includes("2 differences between the log and what is shown:"), out);
    assert(out.includes(`${JSON.stringify(row!.key)}: attempt is 99, should be ${state.attempt}`), out);
    assert(out.includes("… and 1 more (--show <n> shows more)"), out);
    const repaired = await audit(["replay", "--kv", path, "--repair"]);
    assertEquals(repaired.code, 0);
    assert(repaired.out.includes("Repaired from the log: 1 entry written, 1 deleted"), repaired.out);
  });
});

Deno.test("audit replay --repair refuses a log that is not lawful, and names the first position", async () => {
  await withFile(async (path) => {
    const value = new TextEncoder().encode("{");
    await throughKv(path, (store) => tamper(store, [{ key: ["0e", 0, 0], value }, { key: ["q"], value }]));
    const before = await throughKv(path, viewsOf);
    const { code, out } = await audit(["replay", "--kv", path, "--repair"]);
    assertEquals(code, 1);
    assert(out.includes("position 0: the stored bytes are not an event"), out);
    assert(out.includes("The log is not lawful, so nothing can be repaired from it"), out);
    assertEquals(await throughKv(path, viewsOf), before);
  });
});

Deno.test("audit replay exits 2 when there is nothing that it could read, or what was asked makes no sense", async () => {
  const dir = await Deno.makeTempDir({ prefix: "daybook_audit_" });
  try {
    const missing = await audit(["replay", "--kv", `${dir}/none.kv`, "--repair"]);
    assertEquals([missing.code, missing.out], [2, ""]);
    assert(missing.err.includes(`Cannot read ${dir}/none.kv: there is no such file`), missing.err);
    assertEquals([...Deno.readDirSync(dir)], []);
    await Deno.writeTextFile(`${dir}/text.kv`, "no database");
    const other = await audit(["replay", "--kv", `${dir}/text.kv`]);
    assertEquals(other.code, 2);
    assert(other.err.includes("file is not a database"), other.err);
    const misfit = await audit(["replay"], { DAYBOOK_PORT: "none" });
    assertEquals(misfit.code, 2);
    assert(misfit.err.includes("DAYBOOK_PORT"), misfit.err);
    for (const args of [["replay", "--shw"], ["replay", "--show", "0"], ["rewind"], ["replay", "surplus"]]) {
      const { code, err } = await audit(args);
      assertEquals(code, 2, args.join(" "));
      assert(err.includes("error:"), err);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("audit --help and audit replay --help tell what there is", async () => {
  const [all, one] = await Promise.all([audit(["--help"]), audit(["replay", "--help"])]);
  assertEquals([all.code, one.code], [0, 0]);
  assert(all.out.includes("replay"), all.out);
  for (const option of ["--kv", "--repair", "--show", "--json"]) assert(one.out.includes(option), one.out);
});

Deno.test("audit replay --repair refuses while another process has the file, and says which", async () => {
  await withFile(async (path) => {
    const unlock = await lockStore(path, {
      pid: 4711,
      hostname: "elsewhere",
      since: "2026-01-07T10:15:00.000Z",
    });
    try {
      const { code, err } = await audit(["replay", "--kv", path, "--repair"]);
      assertEquals(code, 2);
      assert(err.includes("in use by process 4711 on elsewhere, since 2026-01-07T10:15:00.000Z"), err);
      assertEquals((await replayJson(path)).code, 0, "it reads all the same");
    } finally {
      unlock();
    }
  });
});

Deno.test("audit replay beside a server at work reads one state, where all is as the log says", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_audit_" });
  try {
    await using server = await ServerProcess.start({
      dataDir,
      env: {
        DAYBOOK_LOG_LEVEL: "ERROR",
        DAYBOOK_HANDLERS: fileURLToPath(new URL("../process/handlers", import.meta.url)),
      },
    });
    let stop = false;
    let created = 0;
    const load = Array.from({ length: 8 }, async (_, caller) => {
      for (let n = 0; !stop; n++) {
        const tags = [`caller-${caller}`];
        await server.post<Job>("/background-jobs", { job_type: "tick", payload: { ms: n % 5 }, tags });
        created++;
      }
    });
    const path = `${dataDir}/daybook.kv`;
    let events = 0;
    for (let n = 0; n < 5; n++) {
      const found = await replayJson(path);
      assertEquals([found.code, found.differences, found.violations], [0, { total: 0, shown: [] }, {
        total: 0,
        shown: [],
      }]);
      assert(found.events > events, "the server wrote meanwhile");
      events = found.events;
    }
    const refused = await audit(["replay", "--kv", path, "--repair"]);
    assertEquals(refused.code, 2);
    assert(refused.err.includes(`in use by process ${server.process.pid}`), refused.err);
    stop = true;
    await Promise.all(load);
    assert(created > 0);
    await server.end("SIGTERM");
    assertEquals((await replayJson(path)).code, 0);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
