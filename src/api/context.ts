/**
 * What every request carries through the app, and what an event of that request is told of its cause.
 *
 * @module
 */
import type { Context } from "hono";
import type { EventMeta } from "../events/event.ts";
import type { Principal } from "./tokens.ts";

export type ApiEnv = {
  Variables: {
    /** The caller's `X-Request-Id`, or a new one. */
    requestId: string;
    /** Whose token it is; set for every path that asks for one. */
    principal: Principal;
  };
};
export type ApiContext = Context<ApiEnv>;

/** Where everything but `/healthz` and `/readyz` lives. */
export const API_ROOT = "/api/system";

export function eventMeta(c: ApiContext, reason: string | null = null): EventMeta {
  return { actor: c.get("principal").name, request_id: c.get("requestId"), causation_id: null, reason };
}
