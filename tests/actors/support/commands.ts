/**
 * Random commands for property tests: what people, handlers and crashes may do to a job, in any order.
 *
 * @module
 */
import fc from "fast-check";
import type { JobCommand, Outcome } from "../../../src/actors/job/commands.ts";
import { JOB_PRIORITIES } from "../../../src/actors/job/job.ts";
import type { JobState } from "../../../src/actors/job/state.ts";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import type { Json, JsonObject } from "../../../src/handlers/handler.ts";
import { aSpec, START } from "./facts.ts";

const QUEUES = ["default", "mail", "constructor"];
const TAGS = ["red", "green", "blue"];

const time = fc.option(
  fc.integer({ min: -3_600, max: 3_600 }).map((seconds) => new Date(START + seconds * 1000).toISOString()),
  { nil: null },
);
/** Some are too large for the row. */
const payload = fc.oneof(
  fc.constant({}),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>, {
    maxKeys: 3,
  }).map((value): JsonObject => ({ ...value })),
  fc.integer({ min: 1_000, max: 4_000 }).map((length) => ({ filler: "x".repeat(length) })),
);
const progress = fc.option(
  fc.record({ percent: fc.integer({ min: 0, max: 100 }), note: fc.option(fc.string(), { nil: null }) }),
  { nil: null },
);
const backoff = fc.record({
  base_seconds: fc.integer({ min: 0, max: 600 }),
  factor: fc.integer({ min: 1, max: 4 }),
  max_seconds: fc.integer({ min: 0, max: 3_600 }),
  jitter: fc.constantFrom(0, 0.2, 1),
});

const changes = {
  payload,
  queue: fc.constantFrom(...QUEUES),
  priority: fc.constantFrom(...JOB_PRIORITIES),
  max_retries: fc.integer({ min: 0, max: 4 }),
  scheduled_at: time,
  timeout_seconds: fc.integer({ min: 1, max: 600 }),
  backoff,
  tags: fc.subarray(TAGS),
};

export const anySpec: fc.Arbitrary<JobSpec> = fc
  .record({ job_type: fc.constantFrom("echo", "mail"), ...changes }, { requiredKeys: [] })
  .map((said) => aSpec(said as Partial<JobSpec>));

export const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ type: fc.constant("completed" as const), result: fc.option(payload, { nil: null }) }),
  fc.record({
    type: fc.constant("failed" as const),
    errorMessage: fc.constant("Error: no luck"),
    retryable: fc.boolean(),
  }),
  fc.constant({ type: "released" as const }),
);

/** A wish, made a command by the state that it meets: most name the attempt that is current then, some another. */
export type Wish = (state: JobState | null) => JobCommand;

function attemptOf(state: JobState | null, slip: number): number {
  return (state?.attempt ?? 0) + slip;
}

const slip = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, {
  weight: 1,
  arbitrary: fc.integer({ min: -1, max: 1 }),
});

/** What may be asked of a job once it is there. */
export const anyWish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Wish>(() => ({ type: "start" })) },
  {
    weight: 5,
    arbitrary: fc.tuple(slip, anyOutcome, progress).map(([by, outcome, last]): Wish => (state) => ({
      type: "settle",
      attempt: attemptOf(state, by),
      outcome,
      progress: last,
    })),
  },
  {
    weight: 2,
    arbitrary: fc.record(changes, { requiredKeys: [] }).map((said): Wish => () => ({
      type: "update",
      changes: said as Partial<JobSpec>,
    })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(slip, fc.integer({ min: 0, max: 100 })).map(([by, percent]): Wish => (state) => ({
      type: "progress",
      attempt: attemptOf(state, by),
      percent,
      note: null,
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(slip, anyOutcome).map(([by, outcome]): Wish => (state) => ({
      type: "refuse_late_result",
      attempt: attemptOf(state, by),
      outcome,
    })),
  },
  { weight: 2, arbitrary: fc.constant<Wish>(() => ({ type: "interrupt" })) },
  { weight: 2, arbitrary: fc.constant<Wish>(() => ({ type: "cancel" })) },
  { weight: 2, arbitrary: fc.constant<Wish>(() => ({ type: "retry" })) },
  { weight: 1, arbitrary: fc.constant<Wish>(() => ({ type: "delete" })) },
);
