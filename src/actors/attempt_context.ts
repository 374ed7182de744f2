/**
 * Which attempt the code that runs belongs to, through whatever it awaits and calls back: the only way to tell whose an
 * error is that no promise of the handler's carries.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { JsonObject } from "../handlers/handler.ts";

export interface AttemptFacts {
  readonly jobId: string;
  readonly jobType: string;
  readonly attempt: number;
}

/** Whose code runs. */
export interface RunningAttempt extends AttemptFacts {
  readonly payload: JsonObject;
}

const context = new AsyncLocalStorage<RunningAttempt>();

/** Calls `run` as code of this attempt's. */
export function runAs<T>(attempt: RunningAttempt, run: () => T): T {
  return context.run(attempt, run);
}

/**
 * `undefined` where no attempt's code led, and for what a timer throws: that one has lost whose it was. Code of Daybook's own that an
 * attempt called runs as that attempt's.
 */
export function currentAttempt(): RunningAttempt | undefined {
  return context.getStore();
}
