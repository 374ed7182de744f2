/**
 * A whole runtime on a store in memory and a clock that the test moves, with handlers that end when the test says so.
 *
 * Every test ends with a graceful stop, and with the proof that what is stored is what is logged.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Job } from "../../../src/actors/job/job.ts";
import { type AnyHandler, JobTypeRegistry } from "../../../src/actors/job_type_registry.ts";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import { Runtime, type RuntimeOptions } from "../../../src/actors/runtime.ts";
import type { EventEnvelope } from "../../../src/events/event.ts";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import type { HandlerContext, JsonObject } from "../../../src/handlers/handler.ts";
import { assertProjectionsMatchLog } from "../../support/consistency.ts";
import { ManualClock, settle } from "../../support/manual_clock.ts";
import { aSpec } from "./facts.ts";
import { TESTER } from "./log_of_jobs.ts";
import { noServices } from "./services.ts";

/** A call of a handler, which ends when the test resolves or rejects it. */
export interface Run {
  readonly jobId: string;
  readonly payload: JsonObject;
  readonly context: HandlerContext;
  resolve(result?: unknown): void;
  reject(error: unknown): void;
  /** Whether it has ended. */
  readonly over: boolean;
}

export interface TestRuntimeOptions extends Partial<RuntimeOptions> {
  readonly clock?: ManualClock;
  /** Beside `echo`, whose runs the test ends. */
  readonly handlers?: readonly AnyHandler[];
  /** Default: at once. */
  readonly startNow?: boolean;
}

export class TestRuntime {
  readonly runs: Run[] = [];
  /** Most runs of `echo` that had not ended at the same moment. */
  mostAtOnce = 0;
  readonly errors: unknown[] = [];
  readonly recovered: number[] = [];
  readonly restarts: { error: unknown; pauseMs: number }[] = [];
  runtime!: Runtime;

  private constructor(readonly clock: ManualClock, readonly store: RuntimeOptions["store"]) {}

  static async open(options: TestRuntimeOptions = {}): Promise<TestRuntime> {
    const { clock = new ManualClock(), store = new MemoryStore(), handlers = [], startNow = true } = options;
    const test = new TestRuntime(clock, store);
    const jobTypes = new JobTypeRegistry();
    for (const handler of [test.#echo(), ...handlers]) jobTypes.register(handler);
    test.runtime = await Runtime.open({
      concurrency: 2,
      jobTypes,
      services: noServices,
      random: () => 0,
      onError: (error) => test.errors.push(error),
      onRecovered: (interrupted) => test.recovered.push(interrupted),
      onRestart: (error, pauseMs) => test.restarts.push({ error, pauseMs }),
      ...options,
      store,
      clock,
    });
    if (startNow) await test.start();
    return test;
  }

  async start(): Promise<void> {
    this.runtime.start();
    await settle();
  }

  get commands() {
    return this.runtime.jobs.commands;
  }

  get queries() {
    return this.runtime.jobs.queries;
  }

  /** Runs that have not ended. */
  get open(): readonly Run[] {
    return this.runs.filter(({ over }) => !over);
  }

  /** The run of this job that has not ended. */
  runOf(id: string): Run {
    const run = this.open.find(({ jobId }) => jobId === id);
    assert(run, `no handler runs for ${id}`);
    return run;
  }

  /** Creates a job and lets it start. */
  async create(spec: Partial<JobSpec> = {}): Promise<string> {
    const { job } = await this.commands.create(aSpec(spec), TESTER);
    await settle();
    return job.id;
  }

  async cancel(id: string): Promise<boolean> {
    const { pending } = await this.commands.cancel(id, { ...TESTER, reason: "enough" });
    await settle();
    return pending;
  }

  async job(id: string): Promise<Job> {
    const job = await this.queries.get(id);
    assert(job, `there is no job ${id}`);
    return job;
  }

  async status(id: string): Promise<string> {
    return (await this.job(id)).status;
  }

  /** The job's events without their `job.`. */
  async story(id: string): Promise<string[]> {
    return (await this.events(id)).map(({ type }) => type.slice("job.".length));
  }

  async events(id: string): Promise<EventEnvelope[]> {
    return await this.queries.history(id, 0, 20_000) ?? [];
  }

  /** Ends whatever runs, stops, and compares what is stored with the log. */
  async close(): Promise<void> {
    await this.stop();
    await assertProjectionsMatchLog(this.store, { now: this.clock.now() });
  }

  async stop(): Promise<void> {
    let stopped = false;
    const stopping = this.runtime.stop().finally(() => stopped = true);
    for (let turn = 0; !stopped && turn < 50; turn++) {
      for (const run of this.open) run.resolve();
      await this.clock.advanceAsync(1_000);
    }
    assert(stopped, "the runtime does not stop");
    await stopping;
  }

  #echo(): AnyHandler {
    return {
      jobType: "echo",
      payloadSchema: z.record(z.string(), z.any()),
      run: (payload: JsonObject, context: HandlerContext) => {
        const { promise, resolve, reject } = Promise.withResolvers<object>();
        let over = false;
        const end = () => over = true;
        this.runs.push({
          jobId: context.jobId,
          payload,
          context,
          resolve: (result) => (end(), resolve(result as object)),
          reject: (error) => (end(), reject(error)),
          get over() {
            return over;
          },
        });
        this.mostAtOnce = Math.max(this.mostAtOnce, this.open.length);
        return promise;
      },
    };
  }
}

/** A test over a runtime that is opened before and closed after it, and that reported no error. */
export function runtimeTest(
  title: string,
  options: TestRuntimeOptions | (() => TestRuntimeOptions),
  test: (runtime: TestRuntime) => Promise<void>,
): void {
  Deno.test(title, async () => {
    const runtime = await TestRuntime.open(typeof options === "function" ? options() : options);
    await test(runtime);
    await runtime.close();
    assertEquals(runtime.errors, []);
  });
}
