import { assert, assertEquals } from "@std/assert";
import { BaseHandler, getLogger, type LevelName, type LogRecord, setup } from "@std/log";
import * as lines from "../../src/logging/job_lines.ts";

class Kept extends BaseHandler {
  readonly records: LogRecord[] = [];
  override handle(record: LogRecord): void {
    this.records.push(record);
  }
  override log(): void {}
}

function logged(write: (logger: ReturnType<typeof getLogger>) => void, level: LevelName = "DEBUG") {
  const kept = new Kept("NOTSET");
  setup({ handlers: { kept }, loggers: { background_worker: { level, handlers: ["kept"] } } });
  write(getLogger("background_worker"));
  setup({});
  return kept.records.map((record) => ({
    level: record.levelName,
    message: record.msg,
    fields: record.args[0],
  }));
}

const job = { jobId: "0195", jobType: "email_send", attempt: 1 };
const fields = { job_id: "0195", job_type: "email_send", attempt: 1 };

Deno.test("logStarting() tells the concurrency and the process", () => {
  assertEquals(logged((logger) => lines.logStarting(logger, { concurrency: 10, pid: 1234 })), [{
    level: "INFO",
    message: "🚀 Background Worker Starting (concurrency 10, pid 1234)",
    fields: { concurrency: 10, pid: 1234 },
  }]);
});

Deno.test("logJobsFound() tells how many jobs wait and how many were recovered", () => {
  const messages = logged((logger) => {
    lines.logJobsFound(logger, { waiting: 3, recovered: 0 });
    lines.logJobsFound(logger, { waiting: 1, recovered: 1 });
  }).map((record) => record.message);
  assertEquals(messages, [
    "📋 Found 3 jobs waiting",
    "📋 Found 1 job waiting (1 recovered after an interruption)",
  ]);
});

Deno.test("logProcessing() tells the job, its type and which attempt of how many", () => {
  assertEquals(logged((logger) => lines.logProcessing(logger, { ...job, maxRetries: 3 })), [{
    level: "INFO",
    message: "⚙️ Processing job 0195 (email_send, attempt 1 of 4)",
    fields,
  }]);
  const [again] = logged((logger) => lines.logProcessing(logger, { ...job, attempt: 3, maxRetries: 0 }));
  assertEquals(again?.message, "⚙️ Processing job 0195 (email_send, attempt 3)", "after interruptions");
});

Deno.test("logCompleted() tells how long the attempt took", () => {
  assertEquals(logged((logger) => lines.logCompleted(logger, { ...job, durationMs: 12.3 })), [{
    level: "INFO",
    message: "✅ Job 0195 completed (email_send, 12 ms)",
    fields: { ...fields, duration_ms: 12 },
  }]);
});

Deno.test("logRetry() warns, and tells which retry comes when and why", () => {
  const next = "2026-01-07T10:17:32.000Z";
  const facts = { ...job, error: "Error: no route", retryCount: 1, maxRetries: 3, nextRetryAt: next };
  assertEquals(logged((logger) => lines.logRetry(logger, facts)), [{
    level: "WARN",
    message: "🔁 Job 0195 failed, retry 1 of 3 at 2026-01-07T10:17:32.000Z (Error: no route)",
    fields: { ...fields, retry_count: 1, next_retry_at: next, error: "Error: no route" },
  }]);
});

Deno.test("logFailed() is an error", () => {
  assertEquals(logged((logger) => lines.logFailed(logger, { ...job, error: "TypeError: no" })), [{
    level: "ERROR",
    message: "❌ Job 0195 failed (email_send, attempt 1): TypeError: no",
    fields: { ...fields, error: "TypeError: no" },
  }]);
});

Deno.test("logUncaught() tells whose the error is and where it was thrown, on one line", () => {
  const error = "RangeError: a\nb";
  const records = logged((logger) => {
    lines.logUncaught(logger, { ...job, error, place: "file:///h/a.ts:3:9" });
    lines.logUncaught(logger, { ...job, error, place: undefined });
  });
  assertEquals(records.map((record) => `${record.level} ${record.message}`), [
    "ERROR 💥 Job 0195 left an error that nothing catches (email_send, attempt 1): RangeError: a\\nb at file:///h/a.ts:3:9",
    "ERROR 💥 Job 0195 left an error that nothing catches (email_send, attempt 1): RangeError: a\\nb",
  ]);
});

Deno.test("logCancelled(), logInterrupted(), logAbandoned(), logHandlerLine() and logStopped() have a sign each", () => {
  const records = logged((logger) => {
    lines.logCancelled(logger, job);
    lines.logInterrupted(logger, { ...job, interruptCount: 2 });
    lines.logAbandoned(logger, job);
    lines.logHandlerLine(logger, job, "halfway", "WARNING");
    lines.logStopped(logger, { totalProcessed: 42 });
  });
  assertEquals(records.map((record) => `${record.level} ${record.message}`), [
    "INFO 🚫 Job 0195 cancelled (email_send)",
    "WARN ⚡ Job 0195 was interrupted (email_send, 2 times in a row)",
    "WARN ⏳ Job 0195's handler has not stopped (email_send, attempt 1); until it has, the job is not started again",
    "WARN 📝 Job 0195: halfway",
    "INFO 🛑 Background Worker Stopped (total processed: 42)",
  ]);
});

Deno.test("a line whose level is off reads nothing of its facts", () => {
  const facts = new Proxy(job, {
    get: () => {
      throw new Error("was read");
    },
  });
  const records = logged((logger) => {
    lines.logProcessing(logger, facts as typeof job & { maxRetries: number });
    lines.logCompleted(logger, facts as typeof job & { durationMs: number });
    lines.logCancelled(logger, facts);
  }, "ERROR");
  assertEquals(records, []);
});

Deno.test("shortError() keeps the name, 200 characters of the message, and one line", () => {
  const short = lines.shortError(`SmtpError: ${"x".repeat(500)}`);
  assertEquals(short.length, "SmtpError: ".length + 200);
  assert(short.endsWith("x…"));
  assertEquals(lines.shortError("Error: a\nb"), "Error: a\\nb");
  assertEquals(lines.shortError("y".repeat(300)).length, 200);
});
