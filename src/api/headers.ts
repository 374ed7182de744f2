/**
 * The headers of every reply, good or bad.
 *
 * @module
 */
import type { ApiContext } from "./context.ts";

export type ReplyHeaders = Readonly<Record<string, string>>;

export function sharedHeaders(c: ApiContext): Record<string, string> {
  return {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Request-Id": c.get("requestId"),
  };
}
