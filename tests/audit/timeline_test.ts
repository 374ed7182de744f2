/**
 * What a job's timeline and picture tell.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mermaidPath, timelineOf } from "../../src/audit/timeline.ts";
import type { EventEnvelope } from "../../src/events/event.ts";

function eventsOf(
  ...told: [type: string, seconds: number, data?: Record<string, unknown>][]
): EventEnvelope[] {
  return told.map(([type, seconds, data = {}], i) => ({
    log_id: "log",
    partition: 0,
    position: 10 + i,
    stream: "job/one",
    version: i + 1,
    type: `job.${type}`,
    schema_version: 1,
    machine_version: 1,
    time: new Date(Date.UTC(2026, 0, 7, 10, 15, seconds)).toISOString(),
    actor: i === 0 ? "owner" : "supervisor",
    request_id: null,
    causation_id: null,
    reason: null,
    data,
  }));
}

const EVENTS = eventsOf(
  ["created", 0, { scheduled_at: null }],
  ["started", 2, { attempt: 1 }],
  ["progressed", 3, { attempt: 1, percent: 10 }],
  ["progressed", 4, { attempt: 1, percent: 20 }],
  ["attempt_failed", 7, { attempt: 1, error_message: "no route", next_retry_at: "2026-01-07T10:17:07.000Z" }],
  ["started", 127, { attempt: 2 }],
  ["completed", 128, { attempt: 2 }],
);

Deno.test("a timeline tells states, pauses, how long attempts took, and why they failed", () => {
  const steps = timelineOf(EVENTS);
  assertEquals(steps.map(({ to }) => to), [
    "queued.ready",
    "processing.running",
    "processing.running",
    "processing.running",
    "queued.retrying",
    "processing.running",
    "completed",
  ]);
  assertEquals(steps.map(({ sinceMs }) => sinceMs), [null, 2000, 1000, 1000, 3000, 120_000, 1000]);
  assertEquals(steps.map(({ attemptMs }) => attemptMs), [null, null, null, null, 5000, null, 1000]);
  assertEquals(steps.map(({ attempt }) => attempt), [null, 1, 1, 1, 1, 2, 2]);
  assertEquals(steps[4]!.error, "no route");
  assertEquals(steps[4]!.nextRetryAt, "2026-01-07T10:17:07.000Z");
  assertEquals([steps[0]!.actor, steps[1]!.actor], ["owner", "supervisor"]);
});

Deno.test("the picture has each step once, in order, and repeated ones together", () => {
  assertEquals(
    mermaidPath(timelineOf(EVENTS)),
    `stateDiagram-v2
  state "queued.ready" as queued_ready
  state "processing.running" as processing_running
  state "queued.retrying" as queued_retrying
  [*] --> queued_ready: 1 created
  queued_ready --> processing_running: 2 started (attempt 1)
  processing_running --> processing_running: 3 to 4 progressed
  processing_running --> queued_retrying: 5 attempt_failed
  queued_retrying --> processing_running: 6 started (attempt 2)
  processing_running --> completed: 7 completed`,
  );
});
