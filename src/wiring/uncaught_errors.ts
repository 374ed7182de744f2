/**
 * Errors that nothing catches: a promise that a handler did not wait for, what a timer or a socket of its throws. Left
 * alone they end the process, and with it the jobs of everybody else.
 *
 * @module
 */
import { currentAttempt, type RunningAttempt } from "../actors/attempt_context.ts";

/** From now on they are told and end nothing. Answers a function that ends that. */
export function onUncaughtError(
  told: (error: unknown, attempt: RunningAttempt | undefined) => void,
): () => void {
  const thrown = (event: ErrorEvent) => {
    event.preventDefault();
    told(event.error, currentAttempt());
  };
  const rejected = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    told(event.reason, currentAttempt());
  };
  globalThis.addEventListener("error", thrown);
  globalThis.addEventListener("unhandledrejection", rejected);
  return () => {
    globalThis.removeEventListener("error", thrown);
    globalThis.removeEventListener("unhandledrejection", rejected);
  };
}

/** Its name and where it comes from; of a handler that is not known, so its message may quote a payload. */
export function withoutMessage(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  return [error.name, ...frames].join("\n");
}

/** Where an error was thrown, as its stack says: file, line and column. */
export function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? error.stack : undefined;
  return stack === undefined ? undefined : /\bat .*?((?:file|https?):\/\/\S+?:\d+:\d+)/.exec(stack)?.[1];
}
