import { assertEquals } from "@std/assert";
import { adminTokenVerifier, hasScope } from "../../src/api/tokens.ts";

Deno.test("adminTokenVerifier() knows the admin token and no other", () => {
  const tokens = adminTokenVerifier("dbk_secret");
  assertEquals(tokens.verify("dbk_secret"), { name: "admin", scopes: ["admin"] });
  for (const other of ["", "dbk_secre", "dbk_secrets", "DBK_SECRET", " dbk_secret"]) {
    assertEquals(tokens.verify(other), undefined);
  }
});

Deno.test("hasScope() takes admin for every scope, and any other scope for itself alone", () => {
  assertEquals(hasScope({ name: "a", scopes: ["admin"] }, "jobs:write"), true);
  assertEquals(hasScope({ name: "a", scopes: ["jobs:read"] }, "jobs:read"), true);
  assertEquals(hasScope({ name: "a", scopes: ["jobs:read", "audit:read"] }, "jobs:write"), false);
  assertEquals(hasScope({ name: "a", scopes: [] }, "jobs:read"), false);
});
