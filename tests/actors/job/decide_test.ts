import { assertEquals } from "@std/assert";
import {
  answer,
  aSpec,
  assertEvents,
  attemptFailed,
  cancelled,
  cancelRequested,
  completed,
  created,
  fact,
  failed,
  interrupted,
  retried,
  START,
  started,
  STEP_MS,
} from "../support/facts.ts";

const broke = { type: "failed", errorMessage: "Error: no luck", retryable: true } as const;

Deno.test("decide() creates a job with what the caller said and its idempotency key", () => {
  const idempotency = { key_hash: "k", body_hash: "b", expires_at: "2026-01-08T10:15:00.000Z" };
  const spec = aSpec({ payload: { to: "someone" }, tags: ["nightly"] });
  assertEvents(
    { given: [], when: { type: "create", spec, idempotency } },
    fact("job.created", { ...spec, idempotency }),
  );
});

Deno.test("decide() changes a queued job by what the caller named only", () => {
  assertEvents(
    { given: [created()], when: { type: "update", changes: { priority: "high" } } },
    fact("job.updated", { priority: "high" }),
  );
});

Deno.test("decide() numbers the attempts of a job from 1 on, across retries and releases", () => {
  assertEvents({ given: [created()], when: { type: "start" } }, started(1));
  const released = fact("job.released", { attempt: 1 });
  assertEvents({ given: [created(), started(1), released], when: { type: "start" } }, started(2));
  assertEvents({ given: [created(), started(1), failed(1), retried()], when: { type: "start" } }, started(2));
});

Deno.test("decide() completes the attempt with its result and the progress that no event has recorded", () => {
  const progress = { percent: 90, note: "nearly" };
  const outcome = { type: "completed", result: { sent: 1 } } as const;
  assertEvents(
    { given: [created(), started(1)], when: { type: "settle", attempt: 1, outcome, progress } },
    fact("job.completed", { attempt: 1, result: { sent: 1 }, progress }),
  );
});

Deno.test("decide() retries a failed job after 2, 4 and 8 minutes, and fails it when its last retry failed", () => {
  const given = [created({ max_retries: 3 })];
  for (const [retry, minutes] of [[1, 2], [2, 4], [3, 8]] as const) {
    given.push(started(retry));
    const at = given.length * STEP_MS;
    const next = attemptFailed(retry, new Date(START + at + minutes * 60_000).toISOString());
    assertEvents(
      { given, when: { type: "settle", attempt: retry, outcome: broke, progress: null }, at },
      next,
    );
    given.push(next);
  }
  given.push(started(4));
  assertEvents({ given, when: { type: "settle", attempt: 4, outcome: broke, progress: null } }, failed(4));
});

Deno.test("decide() fails a job without retries at its first failure", () => {
  const given = [created({ max_retries: 0 }), started(1)];
  assertEvents({ given, when: { type: "settle", attempt: 1, outcome: broke, progress: null } }, failed(1));
});

Deno.test("decide() fails a job at once when no retry can help", () => {
  const outcome = { ...broke, retryable: false };
  assertEvents(
    { given: [created(), started(1)], when: { type: "settle", attempt: 1, outcome, progress: null } },
    failed(1),
  );
});

Deno.test("decide() records the jittered wait, so that replay needs no dice", () => {
  const backoff = { base_seconds: 100, factor: 3, max_seconds: 1_000, jitter: 0.5 };
  const given = [created({ backoff }), started(1)];
  const when = { type: "settle", attempt: 1, outcome: broke, progress: null } as const;
  const at = 10_000;
  assertEvents({ given, when, at, random: 0 }, attemptFailed(1, new Date(START + at + 50_000).toISOString()));
  assertEvents(
    { given, when, at, random: 0.5 },
    attemptFailed(1, new Date(START + at + 100_000).toISOString()),
  );
});

Deno.test("decide() cancels a queued job at once and asks a running one to stop", () => {
  assertEvents({ given: [created()], when: { type: "cancel" } }, cancelled());
  const retrying = [created(), started(1), attemptFailed(1, "2026-01-07T10:17:02.000Z")];
  assertEvents({ given: retrying, when: { type: "cancel" } }, cancelled());
  assertEvents({ given: [created(), started(1)], when: { type: "cancel" } }, cancelRequested());
});

Deno.test("decide() adds nothing when a job is cancelled twice", () => {
  assertEvents({ given: [created(), cancelled()], when: { type: "cancel" } });
  assertEvents({ given: [created(), started(1), cancelRequested()], when: { type: "cancel" } });
});

Deno.test("decide() cancels a job whose cancel was asked for, whatever its handler answered", () => {
  const given = [created(), started(1), cancelRequested()];
  for (const outcome of [broke, { type: "completed", result: null }, { type: "released" }] as const) {
    assertEvents({ given, when: { type: "settle", attempt: 1, outcome, progress: null } }, cancelled(1));
  }
});

Deno.test("decide() runs an interrupted job again at once and counts no retry", () => {
  assertEvents({ given: [created(), started(1)], when: { type: "interrupt" } }, interrupted(1, 1, null));
});

Deno.test("decide() lets a job wait the backoff after a second interruption in a row", () => {
  const given = [created(), started(1), interrupted(1, 1), started(2)];
  const at = 20_000;
  const waited = new Date(START + at + 120_000).toISOString();
  assertEvents({ given, when: { type: "interrupt" }, at }, interrupted(2, 2, waited));
});

Deno.test("decide() fails a job after a third interruption in a row", () => {
  const waited = "2026-01-07T10:17:00.000Z";
  const given = [created(), started(1), interrupted(1, 1), started(2), interrupted(2, 2, waited), started(3)];
  assertEvents(
    { given, when: { type: "interrupt" } },
    fact("job.failed", {
      attempt: 3,
      error_message: "InterruptedError: the process died during 3 attempts in a row, last during attempt 3",
      interrupt_count: 3,
      progress: null,
    }),
  );
});

Deno.test("decide() counts interruptions anew after an attempt that ended by itself", () => {
  const failedOnce = attemptFailed(2, "2026-01-07T10:17:00.000Z", 1);
  const given = [created(), started(1), interrupted(1, 1), started(2), failedOnce, started(3)];
  assertEvents({ given, when: { type: "interrupt" } }, interrupted(3, 1, null));
});

Deno.test("decide() goes on counting interruptions after a graceful stop, which ends no attempt", () => {
  const released = fact("job.released", { attempt: 2 });
  const given = [created(), started(1), interrupted(1, 1), started(2), released, started(3)];
  assertEvents(
    { given, when: { type: "interrupt" }, at: 0 },
    interrupted(3, 2, new Date(START + 120_000).toISOString()),
  );
});

Deno.test("decide() cancels an interrupted job instead if that was asked for", () => {
  const given = [created(), started(1), cancelRequested()];
  assertEvents({ given, when: { type: "interrupt" } }, cancelled(1));
});

Deno.test("decide() gives a job back that a graceful stop took from its handler", () => {
  assertEvents(
    {
      given: [created(), started(1)],
      when: { type: "settle", attempt: 1, outcome: { type: "released" }, progress: null },
    },
    fact("job.released", { attempt: 1 }),
  );
});

Deno.test("decide() retries and deletes what is final", () => {
  for (const given of [[created(), started(1), failed(1)], [created(), cancelled()]]) {
    assertEvents({ given, when: { type: "retry" } }, retried());
    assertEvents({ given, when: { type: "delete" } }, fact("job.deleted", {}));
  }
  const done = [created(), started(1), completed(1)];
  assertEvents({ given: done, when: { type: "delete" } }, fact("job.deleted", {}));
});

Deno.test("decide() records what an abandoned handler answered and refuses it", () => {
  const given = [created(), started(1), attemptFailed(1, "2026-01-07T10:17:00.000Z")];
  assertEvents(
    {
      given,
      when: { type: "refuse_late_result", attempt: 1, outcome: { type: "completed", result: { a: 1 } } },
    },
    fact("job.late_result_refused", { attempt: 1, outcome: "completed", error_message: null }),
  );
  assertEvents(
    { given, when: { type: "refuse_late_result", attempt: 1, outcome: broke } },
    fact("job.late_result_refused", { attempt: 1, outcome: "failed", error_message: "Error: no luck" }),
  );
});

Deno.test("decide() accepts nothing of an attempt that is not the current one", () => {
  const given = [created(), started(1), interrupted(1, 1), started(2)];
  const outcome = { type: "completed", result: null } as const;
  assertEquals(answer({ given, when: { type: "settle", attempt: 1, outcome, progress: null } }), {
    refused: { deed: "settle", phase: "processing.running" },
  });
  assertEquals(answer({ given, when: { type: "progress", attempt: 1, percent: 1, note: null } }), {
    refused: { deed: "report progress of", phase: "processing.running" },
  });
});
