/**
 * Who may call: bearer tokens and their scopes. Only digests of tokens are kept and compared.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** `admin` stands for all of them. */
export type Scope = "jobs:read" | "jobs:write" | "queues:write" | "schedules:write" | "audit:read" | "admin";

/** The holder of a token. */
export interface Principal {
  /** The token's name, shown as `created_by` and as an event's `actor`. */
  readonly name: string;
  readonly scopes: readonly Scope[];
}

export interface TokenVerifier {
  /** The holder, or `undefined` when no such token was issued. */
  verify(bearer: string): Principal | undefined;
}

/** Knows one token, the admin token, whose holder is named `admin` and may do everything. */
export function adminTokenVerifier(token: string): TokenVerifier {
  const expected = sha256(token);
  const admin: Principal = { name: "admin", scopes: ["admin"] };
  // Spares the digest of a token that was seen. A lookup compares strings only where their hashes agree, which are
  // seeded anew in each process, so that its time tells nothing of the token either.
  const seen = new Map<string, Principal>();
  return {
    verify(bearer) {
      const known = seen.get(bearer);
      if (known) return known;
      // Digests have one length and tell nothing of the token, so the time of the comparison does not either.
      if (!timingSafeEqual(sha256(bearer), expected)) return undefined;
      seen.set(bearer, admin);
      return admin;
    },
  };
}

export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes("admin") || principal.scopes.includes(scope);
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
