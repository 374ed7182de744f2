/**
 * A barrier in the way of requests, for the sake of the processor's caches.
 *
 * The system hands requests over one by one and does work of its own for each in between, so that each step of each
 * request finds its code out of the caches, where it takes several times as long. Held back until the event loop's next turn
 * and then let go together, requests take the step one right after another.
 *
 * @module
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Answers a function whose promise resolves at the event loop's next turn, at once for all who called it before. */
export function turnBarrier(): () => Promise<void> {
  let next: Promise<void> | undefined;
  return () =>
    next ??= nextTurn().then(() => {
      next = undefined;
    });
}

/** The handler behind a barrier. */
export function behindBarrier<Request, Info, Answer>(
  handler: (request: Request, info: Info) => Answer | Promise<Answer>,
): (request: Request, info: Info) => Promise<Answer> {
  const pass = turnBarrier();
  return (request, info) => pass().then(() => handler(request, info));
}
