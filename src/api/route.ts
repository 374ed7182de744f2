/**
 * What a route is: the table of routes is what the app answers, and what it says about methods and scopes.
 *
 * @module
 */
import type { ApiContext } from "./context.ts";
import type { Scope } from "./tokens.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** From the root; `:id` stands for a job's id. */
  readonly path: string;
  /** What the token must allow; `null` where no token is asked for. */
  readonly scope: Scope | null;
  readonly answer: (c: ApiContext) => Response | Promise<Response>;
}
