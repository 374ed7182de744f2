import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { z } from "zod";
import type { Job } from "../../src/actors/job/job.ts";
import { JobTypeRegistry } from "../../src/actors/job_type_registry.ts";
import type { JobSpec } from "../../src/actors/jobs.ts";
import { Runtime } from "../../src/actors/runtime.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { JsonObject } from "../../src/handlers/handler.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
import { aSpec } from "./support/facts.ts";
import handler from "./support/isolated_handler.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { noServices } from "./support/services.ts";

// Workers know no clock but the real one.

const MODULE = new URL("./support/isolated_handler.ts", import.meta.url).href;

interface Seen {
  readonly errors: unknown[];
  readonly lines: unknown[];
}

async function withRuntime(test: (runtime: Runtime, seen: Seen) => Promise<void>): Promise<void> {
  const store = new MemoryStore();
  const seen: Seen = { errors: [], lines: [] };
  const jobTypes = new JobTypeRegistry()
    .register(handler, MODULE)
    .register({ ...handler, jobType: "missing" }, MODULE.replace("isolated_handler", "no_such_handler"))
    .register({ jobType: "echo", payloadSchema: z.any(), run: () => ({ prompt: true }) });
  const runtime = await Runtime.open({
    store,
    jobTypes,
    services: noServices,
    concurrency: 4,
    onError: (error) => seen.errors.push(error),
    handlerLog: (_, jobType) => (message, level) => seen.lines.push([jobType, level, message]),
  });
  runtime.start();
  try {
    await test(runtime, seen);
  } finally {
    await runtime.stop();
  }
  await assertProjectionsMatchLog(store);
  assertEquals(seen.errors, []);
}

async function create(runtime: Runtime, payload: JsonObject, spec: Partial<JobSpec> = {}): Promise<string> {
  const wanted = aSpec({ job_type: "isolated", max_retries: 0, payload, ...spec });
  return (await runtime.jobs.commands.create(wanted, TESTER)).job.id;
}

/** The job once it is final. */
async function outcome(runtime: Runtime, payload: JsonObject, spec: Partial<JobSpec> = {}): Promise<Job> {
  const id = await create(runtime, payload, spec);
  return (await runtime.jobs.queries.waitUntilFinal(id, 60_000, new AbortController().signal))!;
}

Deno.test("an isolated handler's result, progress and log lines cross the border", () =>
  withRuntime(async (runtime, { lines }) => {
    const job = await outcome(runtime, { deed: "answer" });
    const { now, ...result } = job.result!;
    assertEquals([job.status, result], [
      "completed",
      { jobId: job.id, attempt: 1, idempotencyKey: job.id, ms: 5 },
    ]);
    assert(Math.abs(Date.parse(now as string) - Date.now()) < 60_000);
    assertEquals([job.progress, lines], [{ percent: 50, note: "half" }, [[
      "isolated",
      "WARNING",
      "at work",
    ]]]);
  }));

Deno.test("an isolated handler gets the payload as its schema makes it of what was sent", () =>
  withRuntime(async (runtime) => {
    const payload = { deed: "tell what the schema made", marks: [] };
    assertEquals((await outcome(runtime, payload)).result, { marks: ["checked"] });
  }));

Deno.test("an isolated handler fails as any other, whatever it throws or answers", () =>
  withRuntime(async (runtime) => {
    const expected: [string, RegExp][] = [
      ["throw", /^RangeError: out of range$/],
      ["throw nothing", /^Error: undefined$/],
      ["give up", /^PermanentError: no such mailbox$/],
      ["text", /^TypeError: the handler's result is not a JSON object/],
      ["cyclic", /^TypeError: .*circular/],
      ["use a service", /^TypeError: an isolated handler has no services$/],
      ["post nonsense", /^SyntaxError: .*not valid JSON$/],
      ["throw unwaited", /^Error: the handler's Worker broke down: .*nobody waits for this/],
    ];
    for (const [deed, message] of expected) {
      const job = await outcome(runtime, { deed });
      assertEquals(job.status, "failed", deed);
      assertMatch(job.error_message!, message);
    }
    assertEquals((await outcome(runtime, { deed: "nothing" })).result, null);
  }));

Deno.test("an isolated handler in plain JavaScript may report what it wants", () =>
  withRuntime(async (runtime, { lines }) => {
    const job = await outcome(runtime, { deed: "report nonsense" });
    assertEquals([job.status, job.progress], ["completed", { percent: 0, note: null }]);
    assertEquals(lines, [["isolated", "INFO", "Symbol(at work)"]]);
  }));

Deno.test("an isolated handler's PermanentError is not retried, its other errors are", () =>
  withRuntime(async (runtime) => {
    const final = await outcome(runtime, { deed: "give up" }, { max_retries: 3 });
    assertEquals([final.status, final.retry_count], ["failed", 0]);
    const id = await create(runtime, { deed: "throw" }, { max_retries: 3 });
    for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
      if ((await runtime.jobs.queries.get(id))!.status === "queued") break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const waiting = (await runtime.jobs.queries.get(id))!;
    assertEquals([waiting.status, waiting.retry_count, waiting.error_message], [
      "queued",
      1,
      "RangeError: out of range",
    ]);
  }));

Deno.test("an isolated handler that blocks its Worker for longer than its timeout or has closed it is ended, and makes nobody late", () =>
  withRuntime(async (runtime) => {
    const stuck = [{ deed: "block", ms: 600_000 }, { deed: "close" }]
      .map((payload) => outcome(runtime, payload, { timeout_seconds: 1 }));
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      const asked = performance.now();
      assertEquals((await outcome(runtime, {}, { job_type: "echo" })).status, "completed");
      waits.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert(Math.max(...waits) < 500, `neighbours waited ${waits.map(Math.round)} ms`);
    for (const { status, error_message } of await Promise.all(stuck)) {
      assertEquals([status, error_message], ["failed", "TimeoutError: attempt 1 took longer than 1 s"]);
    }
  }));

Deno.test("an isolated handler hears its signal and may stop by itself", () =>
  withRuntime(async (runtime) => {
    const asked = performance.now();
    const job = await outcome(runtime, { deed: "obey" }, { timeout_seconds: 1 });
    assertEquals([job.status, job.error_message], ["failed", "TimeoutError: attempt 1 took longer than 1 s"]);
    assert(performance.now() - asked < 4_000, "the Worker was not told to stop");
  }));

Deno.test("an isolated handler whose module is missing has failed with a message that names it", () =>
  withRuntime(async (runtime) => {
    const job = await outcome(runtime, { deed: "answer" }, { job_type: "missing" });
    assertEquals(job.status, "failed");
    assertMatch(job.error_message!, /no_such_handler\.ts/);
  }));

Deno.test("a job type's time limit is a number of seconds, above 0 and at most a day", () => {
  const type = { jobType: "echo", payloadSchema: z.any(), run: () => ({}) };
  for (const timeoutSeconds of [0, -5, NaN, Infinity, 86_401, "abc" as unknown as number]) {
    assertThrows(
      () => new JobTypeRegistry().register({ ...type, timeoutSeconds }),
      TypeError,
      "timeoutSeconds of job type 'echo' must be above 0 and at most 86400",
    );
  }
  assertEquals(
    new JobTypeRegistry().register({ ...type, timeoutSeconds: 0.5 }).get("echo")?.timeoutSeconds,
    0.5,
  );
});

Deno.test("a job type that is isolated needs a module that a Worker can load", () => {
  assertThrows(() => new JobTypeRegistry().register(handler), TypeError, "'isolated' needs a module");
});
