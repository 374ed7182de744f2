/**
 * A context for one attempt of `cache_flush`, with a given cache and nothing else.
 *
 * @module
 */
import type { Cache, HandlerContext, HandlerServices } from "../../../src/handlers/handler.ts";

export function flushContext(cache: Cache, signal = new AbortController().signal): HandlerContext {
  return {
    jobId: "0190e7a4-0000-7000-8000-000000000001",
    attempt: 1,
    idempotencyKey: "0190e7a4-0000-7000-8000-000000000001",
    signal,
    progress: () => {},
    log: () => {},
    now: () => new Date("2026-01-07T10:15:32Z"),
    services: { cache } as HandlerServices,
  };
}
