/**
 * Running a handler in a Web Worker of its own, so that one that computes for seconds makes nobody else late and can
 * be ended.
 *
 * @module
 */
import type { HandlerContext, JsonObject } from "../handlers/handler.ts";

/** How long a Worker may go on after the signal has fired, before it is ended. */
const WORKER_GRACE_MS = 5_000;

/** To the Worker. */
export type WorkerOrder =
  | {
    readonly type: "run";
    readonly moduleUrl: string;
    readonly payload: JsonObject;
    readonly jobId: string;
    readonly attempt: number;
    readonly idempotencyKey: string;
  }
  | { readonly type: "abort"; readonly name: string; readonly message: string };

/** From the Worker. */
export type WorkerReport =
  | { readonly type: "progress"; readonly percent: number; readonly note: string | undefined }
  | { readonly type: "log"; readonly message: string; readonly level: Parameters<HandlerContext["log"]>[1] }
  /** The result as JSON text, `undefined` when there is none. */
  | { readonly type: "completed"; readonly json: string | undefined }
  | { readonly type: "failed"; readonly name: string; readonly message: string; readonly retryable: boolean };

/** Settles as the handler does; rejects when the Worker breaks down or had to be ended. */
export function isolatedRun(
  moduleUrl: string,
  payload: JsonObject,
  context: HandlerContext,
): Promise<unknown> {
  const worker = new Worker(new URL("./isolated_worker.ts", import.meta.url), { type: "module" });
  const { jobId, attempt, idempotencyKey, signal } = context;
  let grace: ReturnType<typeof setTimeout> | undefined;
  const order = (message: WorkerOrder) => worker.postMessage(message);

  const outcome = new Promise<unknown>((resolve, reject) => {
    const abort = () => {
      const { name, message } = signal.reason as Error;
      order({ type: "abort", name, message });
      grace = setTimeout(() => reject(signal.reason), WORKER_GRACE_MS);
    };
    signal.addEventListener("abort", abort, { once: true });
    const hear = (report: WorkerReport) => {
      switch (report.type) {
        case "progress":
          return context.progress(report.percent, report.note);
        case "log":
          return context.log(report.message, report.level);
        case "completed":
          return resolve(report.json === undefined ? undefined : JSON.parse(report.json));
        case "failed":
          return reject(
            Object.assign(new Error(report.message), { name: report.name, retryable: report.retryable }),
          );
      }
    };
    worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
      try {
        hear(data);
      } catch (error) {
        // The handler's code can post whatever it wants, too.
        reject(error);
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`the handler's Worker broke down: ${event.message}`));
    };
  });
  order({ type: "run", moduleUrl, payload, jobId, attempt, idempotencyKey });
  return outcome.finally(() => {
    clearTimeout(grace);
    worker.terminate();
  });
}
