import { assertEquals } from "@std/assert";
import { bulkOperation, type BulkOperationParts } from "../../src/actors/bulk_operation.ts";
import type { JobTypeMap } from "../../src/api/job_types.ts";
import { cacheFlush } from "../../src/handlers/cache_flush.ts";
import { cleanup } from "../../src/handlers/cleanup.ts";
import { dbOptimize } from "../../src/handlers/db_optimize.ts";
import { emailSend } from "../../src/handlers/email_send.ts";
import type { JobHandler } from "../../src/handlers/handler.ts";
import { logRotate } from "../../src/handlers/log_rotate.ts";

const handlers = {
  // Its parts are asked for nothing before it runs.
  bulk_operation: bulkOperation({} as BulkOperationParts),
  cache_flush: cacheFlush,
  cleanup,
  db_optimize: dbOptimize,
  email_send: emailSend,
  log_rotate: logRotate,
};
type Handlers = typeof handlers;

/** A payload with every field there is, for each type. */
const samples: { readonly [Type in keyof JobTypeMap]: Required<JobTypeMap[Type]["payload"]>[] } = {
  bulk_operation: (["cancel", "retry", "delete"] as const).map((action) => ({
    action,
    filter: {
      status: "queued",
      job_type: "echo",
      queue: "mail",
      priority: "high",
      tag: "red",
      created_after: "2026-01-07T10:15:32Z",
      created_before: "2026-01-07T11:15:32+01:00",
    },
    reason: "enough",
  })),
  cache_flush: [{ action: "partial", pattern: "user:*" }],
  cleanup: (["all", "expired_data", "old_logs", "cancelled_jobs", "temp_files"] as const)
    .map((type) => ({ type, older_than_days: 1 })),
  db_optimize: [{ targets: ["daybook"] }],
  email_send: ["ada@example.com", ["ada@example.com", "bob@example.com"]].map((to) => ({
    to,
    subject: "Hi",
    template: "system_alert",
    data: { a: [1] },
    text: "x",
    html: "<p>x</p>",
  })),
  log_rotate: [{}],
};

Deno.test("the client knows the job types that ship, and no others", () => {
  for (const [name, handler] of Object.entries(handlers)) assertEquals(handler.jobType, name);
  assertEquals(Object.keys(samples).sort(), Object.keys(handlers).sort());
});

for (const [name, payloads] of Object.entries(samples)) {
  Deno.test(`a ${name} payload of the client's type with every field fits the handler`, () => {
    const { payloadSchema } = handlers[name as keyof Handlers];
    for (const payload of payloads) assertEquals(payloadSchema.safeParse(payload).error, undefined);
  });
}

Deno.test("the client's result types hold what the handlers answer, and its payloads have their fields", () => {
  type ResultOf<Handler> = Handler extends JobHandler<infer _Payload, infer Result> ? Result : never;
  type PayloadOf<Handler> = Handler extends JobHandler<infer Payload, infer _Result> ? Payload : never;
  const resultsFit: {
    [Type in keyof JobTypeMap]: ResultOf<Handlers[Type]> extends JobTypeMap[Type]["result"] ? true
      : Type;
  } = {
    bulk_operation: true,
    cache_flush: true,
    cleanup: true,
    db_optimize: true,
    email_send: true,
    log_rotate: true,
  };
  const sameFields: {
    [Type in keyof JobTypeMap]: [keyof PayloadOf<Handlers[Type]>] extends [keyof JobTypeMap[Type]["payload"]]
      ? [keyof JobTypeMap[Type]["payload"]] extends [keyof PayloadOf<Handlers[Type]>] ? true : Type
      : Type;
  } = {
    bulk_operation: true,
    cache_flush: true,
    cleanup: true,
    db_optimize: true,
    email_send: true,
    log_rotate: true,
  };
  assertEquals(resultsFit, sameFields);
});
