/**
 * The way in: gives the request its id, and lets it pass with a token that may do what the route does.
 *
 * @module
 */
import type { ApiContext } from "./context.ts";
import { ProblemError } from "./problem.ts";
import { hasScope, type Scope, type TokenVerifier } from "./tokens.ts";

/** Paths that answer without a token. */
const OPEN_PATHS: readonly string[] = ["/healthz", "/readyz"];

const REQUEST_ID = /^[A-Za-z0-9_.-]{1,128}$/;
const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/**
 * Lets only holders of a token in, whether there is anything at the path or not. Answers a function that throws what refuses a
 * request, with 401; a middleware of Hono's would cost each request two promises more.
 */
export function authenticate(
  tokens: TokenVerifier,
  newRequestId: () => string,
  onFailedLogin: (address: string) => void,
): (c: ApiContext) => void {
  return (c) => {
    const given = c.req.header("X-Request-Id");
    c.set("requestId", given !== undefined && REQUEST_ID.test(given) ? given : newRequestId());
    if (OPEN_PATHS.includes(c.req.path)) return;

    const header = c.req.header("authorization");
    if (header === undefined) {
      throw new ProblemError(401, "A token is needed: send it as 'Authorization: Bearer <token>'", {
        "WWW-Authenticate": 'Bearer realm="daybook"',
      });
    }
    const bearer = BEARER.exec(header)?.[1];
    const principal = bearer === undefined ? undefined : tokens.verify(bearer);
    if (!principal) {
      onFailedLogin(addressOf(c));
      throw new ProblemError(401, "The Authorization header carries no token that is valid here", {
        "WWW-Authenticate": 'Bearer realm="daybook", error="invalid_token"',
      });
    }
    c.set("principal", principal);
  };
}

/** Where the request comes from, as the server was told; requests within the process have no address. */
function addressOf(c: ApiContext): string {
  const remote = (c.env as Partial<Deno.ServeHandlerInfo<Deno.NetAddr>> | undefined)?.remoteAddr;
  return remote?.hostname ?? "unknown";
}

/** @throws {ProblemError} 403, naming the scope, when the token lacks it. */
export function requireScope(c: ApiContext, scope: Scope): void {
  if (hasScope(c.get("principal"), scope)) return;
  throw new ProblemError(403, `This token lacks the scope ${scope}`, {
    "WWW-Authenticate": `Bearer realm="daybook", error="insufficient_scope", scope="${scope}"`,
  });
}
