import { assert, assertEquals } from "@std/assert";
import { evolve } from "../../../src/actors/job/evolve.ts";
import { statusOf } from "../../../src/actors/job/state.ts";
import type { JobState } from "../../../src/actors/job/state.ts";
import {
  attemptFailed,
  cancelled,
  cancelRequested,
  completed,
  created,
  deleted,
  fact,
  failed,
  fold,
  HISTORIES,
  interrupted,
  retried,
  START,
  started,
  stored,
  timeOf,
} from "../support/facts.ts";

const RETRY_AT = "2026-01-07T10:17:02.000Z";

Deno.test("evolve() makes a queued job of job.created, with nothing but what was said", () => {
  const state = fold(created({ payload: { a: 1 }, tags: ["t"], priority: "high" }));
  assertEquals(state.phase, "queued.ready");
  assertEquals(statusOf(state.phase), "queued");
  assertEquals(state.payload, { inline: { a: 1 } });
  assertEquals([state.attempt, state.retryCount, state.interruptCount, state.version], [0, 0, 0, 1]);
  const { result, errorMessage, nextRetryAt, scheduledAt, progress, startedAt, completedAt } = state;
  assertEquals(
    { result, errorMessage, nextRetryAt, scheduledAt, progress, startedAt, completedAt },
    {
      result: null,
      errorMessage: null,
      nextRetryAt: null,
      scheduledAt: null,
      progress: null,
      startedAt: null,
      completedAt: null,
    },
  );
  assertEquals([state.createdBy, state.createdAt, state.readyAt], ["tester", START, START]);
});

Deno.test("evolve() lets a scheduled job wait for its time", () => {
  const scheduled_at = "2026-01-08T00:00:00.000Z";
  const state = fold(created({ scheduled_at }));
  assertEquals(state.phase, "queued.scheduled");
  assertEquals([state.scheduledAt, state.readyAt], [Date.parse(scheduled_at), Date.parse(scheduled_at)]);
});

Deno.test("evolve() lets a job that was scheduled for the past wait since it was created, before no elder", () => {
  const state = fold(created({ scheduled_at: "1969-12-31T00:00:00.000Z" }));
  assertEquals([state.scheduledAt, state.readyAt], [Date.parse("1969-12-31T00:00:00.000Z"), START]);
  const moved = fold(created(), fact("job.updated", { scheduled_at: "2020-01-01T00:00:00.000Z" }));
  assertEquals(moved.readyAt, timeOf(2));
});

Deno.test("evolve() keeps next_retry_at only while the job waits for its retry", () => {
  const waiting = [created(), started(1), attemptFailed(1, RETRY_AT)];
  assertEquals(fold(...waiting).nextRetryAt, Date.parse(RETRY_AT));
  assertEquals(fold(...waiting).readyAt, Date.parse(RETRY_AT));
  assertEquals(fold(...waiting, started(2)).nextRetryAt, null);
  assertEquals(fold(...waiting, cancelled()).nextRetryAt, null);
  assertEquals(fold(...waiting, fact("job.updated", { scheduled_at: null })).nextRetryAt, null);
  assertEquals(fold(...waiting, fact("job.updated", { priority: "low" })).nextRetryAt, Date.parse(RETRY_AT));
});

Deno.test("evolve() keeps the last error_message after a later success", () => {
  const state = fold(created(), started(1), attemptFailed(1, RETRY_AT), started(2), completed(2));
  assertEquals([state.phase, state.errorMessage, state.retryCount], ["completed", "Error: no luck", 1]);
});

Deno.test("evolve() keeps a result in the row while it is small and points to its event otherwise", () => {
  assertEquals(fold(created(), started(1), completed(1, { a: "b" })).result, { inline: { a: "b" } });
  assertEquals(fold(created(), started(1), completed(1, { a: "b".repeat(2_048) })).result, { position: 2 });
  assertEquals(fold(created({ payload: { a: "b".repeat(2_048) } })).payload, { position: 0 });
  const updated = fact("job.updated", { payload: { a: "b".repeat(2_048) } });
  assertEquals(fold(created(), updated).payload, { position: 1 });
  assertEquals(fold(created(), completed(1, null)).result, null);
});

Deno.test("evolve() begins each attempt without progress and keeps the last of an attempt that ended", () => {
  const progress = { percent: 40, note: "halfway" };
  const progressed = fact("job.progressed", { attempt: 1, ...progress });
  assertEquals(fold(created(), started(1), progressed).progress, progress);
  assertEquals(fold(created(), started(1), progressed, failed(1)).progress, progress);
  assertEquals(fold(created(), started(1), progressed, interrupted(1, 1), started(2)).progress, null);
  const last = { percent: 100, note: null };
  const done = fact("job.completed", { attempt: 1, result: null, progress: last });
  assertEquals(fold(created(), started(1), progressed, done).progress, last);
});

Deno.test("evolve() dates a cancel from when it was asked for, with the reason that was given", () => {
  const facts = [
    stored(created(), { version: 1 }),
    stored(started(1), { version: 2 }),
    stored(cancelRequested(), { version: 3, reason: "no longer needed" }),
    stored(cancelled(1), { version: 4, reason: null }),
  ];
  const state = facts.reduce<JobState | null>(evolve, null)!;
  assertEquals([state.cancelRequestedAt, state.completedAt], [timeOf(3), timeOf(4)]);
  assertEquals(state.cancelReason, "no longer needed");

  const queued = [
    stored(created(), { version: 1 }),
    stored(cancelled(), { version: 2, reason: "never mind" }),
  ];
  const { cancelRequestedAt, cancelReason } = queued.reduce<JobState | null>(evolve, null)!;
  assertEquals([cancelRequestedAt, cancelReason], [timeOf(2), "never mind"]);
});

Deno.test("evolve() empties on job.retried what the contract says, and keeps attempt and error_message", () => {
  const scheduled = created({ scheduled_at: "2026-01-07T10:15:00.500Z" });
  const state = fold(scheduled, started(1), attemptFailed(1, RETRY_AT), started(2), failed(2), retried());
  assertEquals(state.phase, "queued.ready");
  const { retryCount, interruptCount, result, completedAt, scheduledAt, nextRetryAt } = state;
  assertEquals({ retryCount, interruptCount, result, completedAt, scheduledAt, nextRetryAt }, {
    retryCount: 0,
    interruptCount: 0,
    result: null,
    completedAt: null,
    scheduledAt: null,
    nextRetryAt: null,
  });
  assertEquals([state.attempt, state.errorMessage, state.readyAt], [2, "Error: no luck", timeOf(6)]);
  const again = fold(created(), cancelled(), retried());
  assertEquals([again.cancelRequestedAt, again.cancelReason], [null, null]);
});

Deno.test("evolve() keeps an interrupted or released job's place in the queue", () => {
  assertEquals(fold(created(), started(1), interrupted(1, 1)).readyAt, START);
  assertEquals(fold(created(), started(1), fact("job.released", { attempt: 1 })).readyAt, START);
});

Deno.test("evolve() changes nothing but version, time and positions by a late result", () => {
  const late = fact("job.late_result_refused", { attempt: 1, outcome: "completed", error_message: null });
  for (const history of Object.values(HISTORIES)) {
    const before = fold(...history);
    const version = before.version + 1;
    assertEquals(fold(...history, late), {
      ...before,
      version,
      updatedAt: timeOf(version),
      positions: [...before.positions, version - 1],
      origin: before.origin ?? before,
    });
  }
});

Deno.test("evolve() never throws: unlawful, unknown and malformed facts load, and leave the phase alone", () => {
  const strange = [
    { type: "job.from_the_future", schema_version: 7, machine_version: 1, data: { any: "thing" } },
    { type: "job.completed", schema_version: 1, machine_version: 1, data: { attempt: 9, result: null } },
    { type: "job.created", schema_version: 1, machine_version: 1, data: created().data },
  ];
  for (const event of strange) {
    const after = fold(created(), cancelled(), deleted(), event);
    assertEquals([after.phase, after.version], ["deleted", 4], event.type);
    assertEquals(evolve(null, stored({ ...event, type: "job.started" }, { version: 1 })), null);
  }
});

Deno.test("evolve() loads jobs of a machine version that it does not know, and nothing can happen to them", () => {
  const newer = { ...created(), machine_version: 99 };
  const state = fold(newer, { ...started(1), machine_version: 99 });
  assertEquals([state.machineVersion, state.version], [99, 2]);
  assert(statusOf(state.phase) === "queued");
});
