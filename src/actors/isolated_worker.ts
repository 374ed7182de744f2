/**
 * The inside of the Worker that runs an isolated handler: loads its module, runs it once, reports.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { HandlerContext, HandlerServices, JobHandler } from "../handlers/handler.ts";
import type { WorkerOrder, WorkerReport } from "./isolated_run.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const controller = new AbortController();
const report = (message: WorkerReport) => scope.postMessage(message);

scope.onmessage = ({ data }: MessageEvent<WorkerOrder>) => {
  if (data.type === "abort") {
    controller.abort(Object.assign(new Error(data.message), { name: data.name }));
    return;
  }
  run(data).then(report, (error: unknown) => report(failure(error)));
};

async function run(order: WorkerOrder & { type: "run" }): Promise<WorkerReport> {
  const { default: handler } = await import(order.moduleUrl) as { default: JobHandler };
  const context: HandlerContext = {
    jobId: order.jobId,
    attempt: order.attempt,
    idempotencyKey: order.idempotencyKey,
    signal: controller.signal,
    // Handlers in plain JavaScript may pass what cannot be posted.
    progress: (percent, note) =>
      report({
        type: "progress",
        percent: typeof percent === "number" ? percent : 0,
        note: typeof note === "string" ? note : undefined,
      }),
    log: (message, level) =>
      report({ type: "log", message: String(message), level: typeof level === "string" ? level : undefined }),
    now: () => new Date(),
    get services(): HandlerServices {
      throw new TypeError("an isolated handler has no services");
    },
  };
  const payload = await handler.payloadSchema.parseAsync(order.payload);
  const result = await handler.run(payload, context);
  return { type: "completed", json: JSON.stringify(result) };
}

function failure(error: unknown): WorkerReport {
  if (!(error instanceof Error)) {
    return { type: "failed", name: "Error", message: String(error), retryable: true };
  }
  const retryable = (error as { retryable?: unknown }).retryable !== false;
  return { type: "failed", name: error.name, message: error.message, retryable };
}
