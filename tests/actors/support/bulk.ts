/**
 * Bulk operations in a test's runtime, and many jobs for them to work on.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { BULK_OPERATION, BULK_QUEUE } from "../../../src/actors/bulk_job_type.ts";
import type { BulkResult } from "../../../src/actors/bulk_operation.ts";
import type { Job } from "../../../src/actors/job/job.ts";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import type { EventEnvelope } from "../../../src/events/event.ts";
import type { JsonObject } from "../../../src/handlers/handler.ts";
import { aSpec } from "./facts.ts";
import { TESTER } from "./log_of_jobs.ts";
import type { TestRuntime } from "./test_runtime.ts";

/** What `POST /background-jobs/bulk` creates. */
export function bulkSpec(payload: JsonObject, overrides: Partial<JobSpec> = {}): JobSpec {
  return aSpec({
    job_type: BULK_OPERATION,
    queue: BULK_QUEUE,
    timeout_seconds: 86_400,
    payload,
    ...overrides,
  });
}

export async function startBulk(test: TestRuntime, payload: JsonObject): Promise<string> {
  const { job } = await test.commands.create(bulkSpec(payload), { ...TESTER, request_id: "request-1" });
  return job.id;
}

/** The operation once it has ended, without its clock moving. */
export async function endOf(test: TestRuntime, id: string): Promise<Job> {
  const job = await test.queries.waitUntilFinal(id, 60_000, new AbortController().signal);
  assert(job);
  return job;
}

/** Runs an operation to its end and answers its figures: matched, changed, unchanged, refused. */
export async function bulk(test: TestRuntime, payload: JsonObject): Promise<number[]> {
  return figures(await endOf(test, await startBulk(test, payload)));
}

export function figures({ status, error_message, result }: Job): number[] {
  assertEquals([status, error_message], ["completed", null]);
  const { matched, changed, unchanged, refused } = result as unknown as BulkResult;
  return [matched, changed, unchanged, refused];
}

/** Creates jobs that wait for tomorrow, unless the spec says otherwise. */
export async function createMany(
  test: TestRuntime,
  count: number,
  spec: (index: number) => Partial<JobSpec> = () => ({}),
): Promise<string[]> {
  const created = await Promise.all(
    Array.from(
      { length: count },
      (_, i) => test.commands.create(aSpec({ scheduled_at: "2026-01-08T00:00:00.000Z", ...spec(i) }), TESTER),
    ),
  );
  return created.map(({ job }) => job.id);
}

export async function statuses(test: TestRuntime, ids: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const id of ids) {
    const status = (await test.queries.get(id))?.status ?? "gone";
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** The whole log. */
export async function logOf(test: TestRuntime): Promise<EventEnvelope[]> {
  return (await test.runtime.log.read(0, 1_000_000)).map(({ event }) => event);
}

/** Calls `then` once, as soon as so many events of this type are on disk. */
export function afterEvents(test: TestRuntime, type: string, count: number, then: () => void): void {
  let seen = 0;
  const stop = test.runtime.log.listen({
    landed: (appends) => {
      seen += appends.flatMap(({ events }) => events).filter(({ event }) => event.type === type).length;
      if (seen < count) return;
      stop();
      then();
    },
  });
}
