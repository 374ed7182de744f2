/**
 * The services of handlers that use none.
 *
 * @module
 */
import type { HandlerServices } from "../../../src/handlers/handler.ts";

export const noServices: HandlerServices = new Proxy({} as HandlerServices, {
  get(_, name) {
    throw new Error(`this handler has no service ${String(name)}`);
  },
});
