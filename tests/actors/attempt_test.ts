import { assert, assertEquals, assertMatch } from "@std/assert";
import { z } from "zod";
import { Attempt, GRACE_MS } from "../../src/actors/attempt.ts";
import type { Outcome } from "../../src/actors/job/commands.ts";
import type { JobProgress } from "../../src/actors/job/job.ts";
import { JobTypeRegistry } from "../../src/actors/job_type_registry.ts";
import { Deadlines } from "../../src/events/deadlines.ts";
import type { HandlerContext, JsonObject } from "../../src/handlers/handler.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { JOB_ID } from "./support/facts.ts";
import { noServices } from "./support/services.ts";

const DONE: Outcome = { type: "completed", result: null };

const LOG_NOTHING: HandlerContext["log"] = () => {};

/** An attempt of a handler, and all that it tells. */
class Told {
  readonly clock = new ManualClock();
  readonly progress: [number, JobProgress][] = [];
  readonly settled: { outcome: Outcome; progress: JobProgress | null; abandoned: boolean }[] = [];
  readonly late: Outcome[] = [];
  readonly attempt: Attempt;
  context!: HandlerContext;
  readonly handler = Promise.withResolvers<object | undefined>();

  constructor(
    run?: (payload: JsonObject, context: HandlerContext) => unknown,
    { timeoutSeconds = 300, schema = z.any() as z.ZodType, payload = {} as JsonObject, log = LOG_NOTHING } =
      {},
  ) {
    const jobTypes = new JobTypeRegistry().register({
      jobType: "echo",
      payloadSchema: schema,
      run: (payload, context) => {
        this.context = context;
        return run ? run(payload, context) as object : this.handler.promise as Promise<object>;
      },
    });
    const timeouts = new Deadlines(this.clock);
    timeouts.close();
    this.attempt = new Attempt({
      jobId: JOB_ID,
      attempt: 2,
      jobType: jobTypes.get("echo")!,
      payload,
      timeoutSeconds,
      services: noServices,
      clock: this.clock,
      timeouts,
      log,
      onProgress: (progress) => this.progress.push([this.clock.monotonic(), progress]),
      onSettled: (outcome, progress, abandoned) => this.settled.push({ outcome, progress, abandoned }),
      onLate: (outcome) => this.late.push(outcome),
    });
    this.attempt.start();
  }

  get outcome(): Outcome | undefined {
    return this.settled[0]?.outcome;
  }
}

Deno.test("a handler does not begin when the check of its payload outlasts the attempt", async () => {
  const check = Promise.withResolvers<boolean>();
  let ran = false;
  const told = new Told(() => ran = true, {
    timeoutSeconds: 1,
    schema: z.any().refine(() => check.promise),
  });
  await told.clock.advanceAsync(1_000 + GRACE_MS);
  assertEquals(told.settled.map(({ abandoned }) => abandoned), [true]);
  check.resolve(true);
  await settle();
  assertEquals([ran, told.late.length], [false, 1]);
});

Deno.test("a log line of a handler in plain JavaScript keeps a known level, whatever level it asks for", () => {
  const lines: unknown[] = [];
  new Told((_, { log }) => {
    for (const level of ["WARNING", "warning", "NOTICE", 7, undefined]) log(level as string, level as "INFO");
  }, { log: (message, level) => lines.push([message, level]) });
  assertEquals(lines, [
    ["WARNING", "WARNING"],
    ["warning", "INFO"],
    ["NOTICE", "INFO"],
    ["7", "INFO"],
    ["undefined", "INFO"],
  ]);
});

Deno.test("Attempt gives the handler what it may know: job, attempt, key, signal and clock", async () => {
  const told = new Told();
  const { jobId, attempt, idempotencyKey, signal, now, services } = told.context;
  assertEquals([jobId, attempt, idempotencyKey, signal.aborted], [JOB_ID, 2, JOB_ID, false]);
  assertEquals(now().getTime(), told.clock.now());
  assert(services === noServices);
  told.handler.resolve({ done: true });
  await settle();
  assertEquals(told.settled, [
    { outcome: { type: "completed", result: { done: true } }, progress: null, abandoned: false },
  ]);
  assertEquals(told.clock.pending, 0);
});

Deno.test("Attempt tells every way in which a handler can end as one outcome", async () => {
  const cases: [(context: HandlerContext) => unknown, Outcome["type"], RegExp | undefined][] = [
    [() => undefined, "completed", undefined],
    [() => Promise.resolve({ a: 1 }), "completed", undefined],
    [
      () => {
        throw new TypeError("at once");
      },
      "failed",
      /^TypeError: at once$/,
    ],
    [() => Promise.reject(new RangeError("later")), "failed", /^RangeError: later$/],
    [() => Promise.reject(undefined), "failed", /^Error: undefined$/],
    [() => Promise.reject(null), "failed", /^Error: null$/],
    [
      () => {
        throw Symbol("odd");
      },
      "failed",
      /^Error: Symbol\(odd\)$/,
    ],
    [() => "text", "failed", /not a JSON object but text/],
    [() => [1], "failed", /not a JSON object but an array/],
    [
      () => ({
        get then() {
          throw new Error("no thenable");
        },
      }),
      "failed",
      /^Error: no thenable$/,
    ],
    [
      () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject("thenable") }),
      "failed",
      /thenable/,
    ],
  ];
  for (const [run, type, message] of cases) {
    const told = new Told((_, context) => run(context));
    await settle();
    assertEquals([told.settled.length, told.outcome?.type], [1, type], String(run));
    if (message && told.outcome?.type === "failed") assertMatch(told.outcome.errorMessage, message);
  }
});

Deno.test("Attempt checks the payload once more, and hands the handler what its schema makes of it", async () => {
  const schema = z.object({ to: z.string(), n: z.number().default(7) });
  const good = new Told((payload) => payload, { schema, payload: { to: "x" } });
  await settle();
  assertEquals(good.outcome, { type: "completed", result: { to: "x", n: 7 } });
  const bad = new Told((payload) => payload, { schema, payload: { to: 5 } });
  await settle();
  assert(bad.outcome?.type === "failed");
  assertMatch(bad.outcome.errorMessage, /^TypeError: /);
});

Deno.test("Attempt waits for a schema with asynchronous checks, which sees the payload as it is", async () => {
  let checks = 0;
  const schema = z.any()
    .refine((given) => given.list.push(++checks) === 1)
    .refine((given) => Promise.resolve(given.good));
  const good = new Told((payload) => payload, { schema, payload: { good: true, list: [] } });
  await settle();
  assertEquals(good.outcome, { type: "completed", result: { good: true, list: [checks] } });
  const bad = new Told((payload) => payload, { schema, payload: { good: false, list: [] } });
  await settle();
  assert(bad.outcome?.type === "failed");
});

Deno.test("Attempt gives schema and handler a payload that they may change", async () => {
  const payload: JsonObject = { list: [{ n: 1 }] };
  const schema = z.any().refine((given) => given.list.push({ n: 2 }));
  const told = new Told((given) => {
    (given.list as JsonObject[])[0]!.n = 3;
    return given;
  }, { schema, payload });
  await settle();
  assertEquals(told.outcome, { type: "completed", result: { list: [{ n: 3 }, { n: 2 }] } });
  assertEquals(payload, { list: [{ n: 1 }] });
});

Deno.test("Attempt fires the signal on timeout and fails with TimeoutError when the handler lets go", async () => {
  const told = new Told(undefined, { timeoutSeconds: 20 });
  await told.clock.advanceAsync(19_999);
  assertEquals(told.context.signal.aborted, false);
  await told.clock.advanceAsync(1);
  assertEquals([told.context.signal.aborted, told.context.signal.reason.name], [true, "TimeoutError"]);
  told.handler.reject(told.context.signal.reason);
  await settle();
  assertEquals(told.settled, [{
    outcome: {
      type: "failed",
      errorMessage: "TimeoutError: attempt 2 took longer than 20 s",
      retryable: true,
    },
    progress: null,
    abandoned: false,
  }]);
  assertEquals(told.clock.pending, 0);
});

Deno.test("Attempt fails with TimeoutError even when the handler completes after its time", async () => {
  const told = new Told(undefined, { timeoutSeconds: 20 });
  await told.clock.advanceAsync(20_000);
  told.handler.resolve({});
  await settle();
  assert(told.outcome?.type === "failed");
  assertMatch(told.outcome.errorMessage, /^TimeoutError/);
});

Deno.test("Attempt gives a handler up that ignores its timeout, and tells its late result", async () => {
  const told = new Told(undefined, { timeoutSeconds: 20 });
  await told.clock.advanceAsync(20_000 + GRACE_MS - 1);
  assertEquals(told.settled, []);
  await told.clock.advanceAsync(1);
  assertEquals(told.settled.map(({ abandoned }) => abandoned), [true]);
  assert(told.outcome?.type === "failed");
  assertMatch(told.outcome.errorMessage, /^TimeoutError: .* its handler has not stopped/);
  told.handler.resolve({ too: "late" });
  await settle();
  assertEquals(told.late, [{ type: "completed", result: { too: "late" } }]);
  assertEquals(told.settled.length, 1);
});

Deno.test("Attempt waits at most 24.8 days for a timeout, which is all that a timer can", () => {
  const told = new Told(undefined, { timeoutSeconds: 1e9 });
  assertEquals(told.clock.untilNext, 2 ** 31 - 1);
});

Deno.test("Attempt fires the signal on cancel, and gives the handler up after 10 s", async () => {
  const told = new Told();
  told.attempt.cancel();
  assertEquals([told.context.signal.aborted, told.context.signal.reason.name], [true, "AbortError"]);
  await told.clock.advanceAsync(9_999);
  assertEquals(told.settled, []);
  await told.clock.advanceAsync(1);
  assertEquals([told.settled.length, told.settled[0]?.abandoned], [1, true]);
  told.handler.reject(new Error("late"));
  await settle();
  assertEquals(told.late, [{ type: "failed", errorMessage: "Error: late", retryable: true }]);
});

Deno.test("Attempt counts the 10 s of a cancel from the timeout that was before it", async () => {
  const told = new Told(undefined, { timeoutSeconds: 20 });
  await told.clock.advanceAsync(26_000);
  told.attempt.cancel();
  await told.clock.advanceAsync(3_999);
  assertEquals(told.settled, []);
  await told.clock.advanceAsync(1);
  assertEquals([told.outcome, told.settled[0]?.abandoned], [{ type: "released" }, true]);
});

Deno.test("Attempt gives back at shutdown what does not complete, and keeps what does", async () => {
  const [released, kept, stuck] = [new Told(), new Told(), new Told()];
  for (const told of [released, kept, stuck]) told.attempt.shutDown(3_000);
  released.handler.reject(released.context.signal.reason);
  kept.handler.resolve(undefined);
  await settle();
  assertEquals([released.outcome, kept.outcome], [{ type: "released" }, DONE]);
  await stuck.clock.advanceAsync(3_000);
  assertEquals([stuck.outcome, stuck.settled[0]?.abandoned], [{ type: "released" }, true]);
});

Deno.test("Attempt that timed out before a shutdown has failed, and one that is cancelled after it is cancelled", async () => {
  const late = new Told(undefined, { timeoutSeconds: 20 });
  await late.clock.advanceAsync(20_000);
  late.attempt.shutDown(1_000);
  await late.clock.advanceAsync(1_000);
  assertEquals([late.outcome?.type, late.settled[0]?.abandoned], ["failed", true]);

  const cancelled = new Told();
  cancelled.attempt.shutDown(5_000);
  cancelled.attempt.cancel();
  cancelled.handler.reject(new Error("stopped"));
  await settle();
  assertEquals(cancelled.outcome, { type: "failed", errorMessage: "Error: stopped", retryable: true });
});

Deno.test("Attempt in a hurry is given back at once", async () => {
  const told = new Told();
  told.attempt.shutDown(5_000);
  told.attempt.shutDown(0);
  await told.clock.advanceAsync(0);
  assertEquals([told.outcome, told.settled[0]?.abandoned], [{ type: "released" }, true]);
});

Deno.test("Attempt passes progress on at most once a second, and the last goes along with the outcome", async () => {
  const told = new Told();
  const { clock, context } = told;
  context.progress(1);
  context.progress(2);
  context.progress(3, "three");
  await clock.advanceAsync(400);
  context.progress(4, "four");
  await clock.advanceAsync(5_000);
  context.progress(5);
  context.progress(6, "six");
  told.handler.resolve(undefined);
  await settle();
  assertEquals(told.progress, [
    [0, { percent: 1, note: null }],
    [1_000, { percent: 4, note: "four" }],
    [5_400, { percent: 5, note: null }],
  ]);
  assertEquals(told.settled[0]?.progress, { percent: 6, note: "six" });
  context.progress(7);
  await clock.advanceAsync(5_000);
  assertEquals([told.progress.length, clock.pending], [3, 0]);
});

Deno.test("Attempt takes any progress without throwing: within 0 to 100, with a note of at most 500 characters", async () => {
  const told = new Told();
  const seen: (JobProgress | undefined)[] = [];
  const hostile = {
    toString: () => {
      throw new Error("no text");
    },
  };
  const reports: [unknown, unknown?][] = [
    [-5],
    [250],
    [NaN],
    [Infinity],
    ["50"],
    [1n],
    [10, "😀".repeat(600)],
    [10, "\ud800"],
    [10, null],
    [10, hostile],
  ];
  for (const [percent, note] of reports) {
    told.context.progress(percent as number, note as string);
    seen.push(told.progress.at(-1)?.[1]);
    await told.clock.advanceAsync(1_000);
  }
  assertEquals(seen.map((progress) => progress?.percent), [0, 100, 0, 0, 0, 0, 10, 10, 10, 10]);
  assertEquals(seen.slice(6).map((progress) => progress?.note), ["😀".repeat(500), "\ufffd", null, null]);
});
