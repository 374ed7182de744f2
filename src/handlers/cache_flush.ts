/**
 * The job type `cache_flush`: empties the configured cache, or clears out what is expired or matches a pattern.
 *
 * What it reports is measured by the cache itself: entries that were removed and the bytes they took up.
 *
 * @module
 */
import { z } from "zod";
import type { JobHandler } from "./handler.ts";

const payloadSchema = z.strictObject({
  action: z.enum(["full", "partial"]).default("full"),
  pattern: z.string().min(1).max(512).optional(),
}).refine((payload) => payload.pattern === undefined || payload.action === "partial", {
  error: "pattern is for action 'partial' only: 'full' removes every entry",
  path: ["pattern"],
});

/** `{action?, pattern?}`: `full` unless said; `pattern` has `*` for any run of characters and `?` for one. */
export type CacheFlushPayload = z.infer<typeof payloadSchema>;

/** What a flush did. */
export interface CacheFlushResult {
  readonly status: "success";
  readonly action: "full" | "partial";
  readonly items_cleared: number;
  /** Megabytes of 1,000,000 bytes. */
  readonly memory_freed_mb: number;
  /** Milliseconds with three decimals. */
  readonly duration_ms: number;
}

/** Empties the cache; when it cannot be reached the attempt fails and the job's retries try again. */
export const cacheFlush: JobHandler<CacheFlushPayload, CacheFlushResult> = {
  jobType: "cache_flush",
  payloadSchema,
  async run(payload, context) {
    const { action, pattern } = parse(payload);
    context.signal.throwIfAborted();
    const started = performance.now();
    const { items, bytes } = await context.services.cache.flush(
      action === "full" ? { all: true } : { all: false, ...(pattern !== undefined && { pattern }) },
      context.signal,
    );
    return {
      status: "success",
      action,
      items_cleared: items,
      memory_freed_mb: bytes / 1e6,
      duration_ms: Math.round((performance.now() - started) * 1000) / 1000,
    };
  },
};

function parse(payload: unknown): CacheFlushPayload {
  const parsed = payloadSchema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new TypeError(parsed.error.issues[0]?.message ?? "payload does not fit cache_flush");
}
