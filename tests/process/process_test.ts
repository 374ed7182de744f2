import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Job } from "../../src/actors/job/job.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { ServerProcess, TOKEN } from "../support/server_process.ts";

const HANDLERS = fileURLToPath(new URL("./handlers", import.meta.url));
const env = { DAYBOOK_HANDLERS: HANDLERS, DAYBOOK_LOG_LEVEL: "INFO" };

Deno.test("a job of each built-in type completes on a server started as a user starts it", () =>
  withTempDir(async (dataDir) => {
    await using server = await ServerProcess.start({ dataDir, env });
    const jobs = [
      { job_type: "cache_flush" },
      { job_type: "db_optimize" },
      { job_type: "log_rotate" },
      { job_type: "email_send", payload: { to: "a@example.com", subject: "Hello", text: "Hi" } },
      { job_type: "cleanup" },
    ];
    for (const body of jobs) {
      const { id } = await server.post<Job>("/background-jobs", body);
      const job = await server.json<Job>(`/background-jobs/${id}?wait=30`);
      assertEquals([job.job_type, job.status, job.error_message], [body.job_type, "completed", null]);
    }
  }));

Deno.test("a failure's lines tell its error, but nothing that it quotes of the payload", () =>
  withTempDir(async (dataDir) => {
    await using server = await ServerProcess.start({ dataDir, env });
    // A large payload is in the log only, not in what the lines are made of.
    for (const text of ["Hello", "Hello".repeat(1_000)]) {
      const { id } = await server.post<Job>("/background-jobs", {
        job_type: "email_send",
        payload: { to: "ada@example.com", subject: "Hello", text, template: "no-such-template" },
      });
      const job = await server.json<Job>(`/background-jobs/${id}?wait=30`);
      assert(job.error_message?.includes("no-such-template"), job.error_message!);
      const [line] = await server.waitForLine(new RegExp(`.*Job ${id} failed \\(email_send.*`));
      assertMatch(line, /: \w+Error: /);
    }
    assert(!server.output.includes("no-such-template"), server.output);
  }));

Deno.test("SIGTERM ends the server with 0, gives back what runs, and the next start finishes it", () =>
  withTempDir(async (dataDir) => {
    const first = await ServerProcess.start({ dataDir, env });
    const { id } = await first.post<Job>("/background-jobs", { job_type: "tick", payload: { ms: 7_000 } });
    await first.waitForLine(new RegExp(`Processing job ${id}`));
    assertEquals((await first.end("SIGTERM")).code, 0);
    assertStringIncludes(first.output, "Background Worker Stopped");

    await using second = await ServerProcess.start({ dataDir, env });
    const events = await second.json<EventEnvelope[]>(`/background-jobs/${id}/events`);
    assertEquals(events.map(({ type }) => type).slice(0, 3), ["job.created", "job.started", "job.released"]);
    const job = await second.json<Job>(`/background-jobs/${id}?wait=60`);
    assertEquals([job.status, job.retry_count, job.interrupt_count], ["completed", 0, 0]);
  }));

Deno.test("a handler that blocks the event loop for seconds makes others late but loses none", () =>
  withTempDir(async (dataDir) => {
    await using server = await ServerProcess.start({ dataDir, env });
    const create = (body: unknown) => server.post<Job>("/background-jobs", body);
    const ticks = () => Array.from({ length: 20 }, () => create({ job_type: "tick", payload: { ms: 50 } }));
    // Longer than a commit may take, so that its deadline has gone by when the loop is free again.
    const creations = [...ticks(), create({ job_type: "block", payload: { ms: 6_000 } }), ...ticks()];
    const jobs = await Promise.all(creations);
    for (const { id } of jobs) {
      const job = await server.json<Job>(`/background-jobs/${id}?wait=60`);
      assertEquals([job.status, job.attempt, job.error_message], ["completed", 1, null]);
    }
    await server.end("SIGTERM");
  }));

Deno.test("a second process on the same file is told who holds it, and exits with 1, also through a link", () =>
  withTempDir(async (dataDir) => {
    for (const folder of ["first", "second"]) await Deno.mkdir(`${dataDir}/${folder}`);
    // The first one starts through a link to a file that is not there yet.
    await Deno.symlink(`../daybook.kv`, `${dataDir}/first/daybook.kv`);
    await Deno.symlink(`${dataDir}/first/daybook.kv`, `${dataDir}/second/daybook.kv`);
    await using first = await ServerProcess.start({ dataDir: `${dataDir}/first`, env });
    for (const second of ["first", "second"]) {
      const error = await ServerProcess.start({ dataDir: `${dataDir}/${second}`, env }).catch((
        error: Error,
      ) => error);
      assert(error instanceof Error);
      assertStringIncludes(error.message, `in use by process ${first.process.pid}`);
    }
  }));

Deno.test("a stop of which a step fails ends with 1, and says which", () =>
  withTempDir(async (dataDir) => {
    await using server = await ServerProcess.start({ dataDir, env });
    await Deno.remove(`${dataDir}/daybook.kv.holder`);
    await Deno.mkdir(`${dataDir}/daybook.kv.holder/in/the/way`, { recursive: true });
    assertEquals((await server.end("SIGTERM")).code, 1);
    assertMatch(server.output, /Something failed at the end: .*daybook\.kv\.holder/);
  }));

Deno.test("a request that never ends holds up no stop", () =>
  withTempDir(async (dataDir) => {
    await using server = await ServerProcess.start({ dataDir, env });
    const { hostname, port } = new URL(server.url);
    using caller = await Deno.connect({ hostname, port: Number(port) });
    const head = `POST /api/system/background-jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n` +
      `Content-Type: application/json\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n{`;
    await caller.write(new TextEncoder().encode(head));
    // Answered behind it, so that it has been read.
    await server.json("/stats");
    assertEquals((await server.end("SIGTERM")).code, 0);
    assertStringIncludes(server.output, "Background Worker Stopped");
  }));

Deno.test("a new log in a data folder that was used before is told of, a first one and an old one are not", () =>
  withTempDir(async (dataDir) => {
    const outputOf = async (token: string) => {
      await using server = await ServerProcess.start({ dataDir, env: { ...env, DAYBOOK_TOKEN: token } });
      await server.end("SIGTERM");
      return server.output;
    };
    const told =
      `WARNING - A new log is begun at ${dataDir}/daybook.kv, though ${dataDir} has been used before`;
    for (const token of [TOKEN, ""]) {
      assert(
        !(await outputOf(token)).includes("A new log is begun"),
        "the first start, and one of the same log",
      );
    }
    for (const token of [TOKEN, ""]) {
      await Deno.rename(`${dataDir}/daybook.kv`, `${dataDir}/moved`);
      assertStringIncludes(await outputOf(token), told);
    }
    await Deno.rename(`${dataDir}/moved`, `${dataDir}/daybook.kv`);
    assert(!(await outputOf("")).includes("A new log is begun"), "the file was put back");

    for (const made of ["daybook.kv", "admin.token", "logs"]) {
      await Deno.remove(`${dataDir}/${made}`, { recursive: true });
    }
    assert(!(await outputOf("")).includes("A new log is begun"), "the key was put there for a first start");
  }));

const NO_PLACE: readonly [string, string, (dataDir: string) => Record<string, string>][] = [
  ["a data folder that is a file", "DAYBOOK_DATA is", (dir) => ({ DAYBOOK_DATA: `${dir}/text` })],
  ["a log that is no database", "DAYBOOK_KV is", (dir) => ({ DAYBOOK_KV: `${dir}/text` })],
  ["a log that is a folder", "DAYBOOK_KV is", (dir) => ({ DAYBOOK_KV: `${dir}/folder` })],
  ["a cache that is no database", "The cache", (dir) => ({ DAYBOOK_DATA: `${dir}/folder` })],
];

for (const [what, message, settings] of NO_PLACE) {
  Deno.test(`${what} stops the start with one line`, () =>
    withTempDir(async (dataDir) => {
      await Deno.mkdir(`${dataDir}/folder`);
      for (const file of ["text", "folder/cache.kv"]) {
        await Deno.writeTextFile(`${dataDir}/${file}`, "This is text and no database.\n");
      }
      const error: Error = await ServerProcess.start({ dataDir, env: { ...env, ...settings(dataDir) } })
        .then(() => new Error("it started"), (error) => error);
      assertStringIncludes(error.message, `Daybook cannot start: ${message}`);
      assert(!error.message.includes("    at "), error.message);
    }));
}

Deno.test("a setting that does not fit stops the start with one line that says what it may be", () =>
  withTempDir(async (dataDir) => {
    const error = await ServerProcess.start({ dataDir, env: { DAYBOOK_CONCURRENCY: "many" } }).catch((
      e: Error,
    ) => e);
    assert(error instanceof Error);
    assertStringIncludes(error.message, "DAYBOOK_CONCURRENCY");
    assertStringIncludes(error.message, "many");
  }));

Deno.test("an address that Daybook cannot listen on stops the start with one line, and the new token was shown", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  for (
    const [variable, value] of [["PORT", port], ["HOST", "203.0.113.7"], ["HOST", "no.such.host.invalid"]]
  ) {
    await withTempDir(async (dataDir) => {
      const error: Error = await ServerProcess.start({
        dataDir,
        env: { DAYBOOK_TOKEN: "", [`DAYBOOK_${variable}`]: value! },
      }).then(() => new Error("it started"), (error) => error);
      assertMatch(
        error.message,
        new RegExp(`^Daybook cannot start: DAYBOOK_${variable} is "${value}", but it may be `, "m"),
      );
      assertStringIncludes(error.message, (await Deno.readTextFile(`${dataDir}/admin.token`)).trim());
      assert(!error.message.includes("    at "), error.message);
    });
  }
});

Deno.test("the token is written to a file of mode 0600 and shown once, and no log file has it", () =>
  withTempDir(async (dataDir) => {
    const noToken = { ...env, DAYBOOK_TOKEN: "" };
    const first = await ServerProcess.start({ dataDir, env: noToken });
    const token = (await Deno.readTextFile(`${dataDir}/admin.token`)).trim();
    if (Deno.build.os !== "windows") {
      assertEquals((await Deno.stat(`${dataDir}/admin.token`)).mode! & 0o777, 0o600);
    }
    assertEquals((await first.end("SIGTERM")).code, 0, "a server that says where it listens can be stopped");
    assertStringIncludes(first.output, token);
    const second = await ServerProcess.start({ dataDir, env: noToken });
    await second.end("SIGTERM");
    assert(!second.output.includes(token));
    assert(!(await Deno.readTextFile(`${dataDir}/logs/daybook.log`)).includes(token));
  }));
