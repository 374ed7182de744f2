/**
 * Which attempt the code that runs belongs to, through whatever it awaits and calls back: the only way to tell whose an
 * error is that no promise of the handler's carries.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Whose code runs. */
export interface AttemptFacts {
  readonly jobId: string;
  readonly jobType: string;
  readonly attempt: number;
}

const context = new AsyncLocalStorage<AttemptFacts>();

/** Calls `run` as code of this attempt's. */
export function runAs<T>(facts: AttemptFacts, run: () => T): T {
  return context.run(facts, run);
}

/** `undefined` for code of Daybook's own, and for what a timer throws: that one has lost whose it was. */
export function currentAttempt(): AttemptFacts | undefined {
  return context.getStore();
}
