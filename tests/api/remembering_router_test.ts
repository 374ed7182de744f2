import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { TrieRouter } from "hono/router/trie-router";
import { RememberingRouter } from "../../src/api/remembering_router.ts";

const ROUTES: readonly [method: string, path: string][] = [
  ["POST", "/jobs"],
  ["POST", "/jobs/batch"],
  ["GET", "/jobs"],
  ["GET", "/jobs/:id"],
  ["POST", "/jobs/:id/cancel"],
];

function withRoutes<R extends { add(method: string, path: string, handler: string): void }>(router: R): R {
  for (const [method, path] of ROUTES) router.add(method, path, `${method} ${path}`);
  return router;
}

Deno.test("every path leads where Hono's own router leads it, the first time and later", () => {
  const ours = withRoutes(new RememberingRouter<string>());
  const honos = withRoutes(new TrieRouter<string>());
  for (
    const path of ["/jobs", "/jobs/batch", "/jobs/7", "/jobs/7/cancel", "/", "/jobs/", "//jobs", "/nowhere"]
  ) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const expected = honos.match(method, path);
      assertEquals(ours.match(method, path), expected, `${method} ${path}`);
      assertEquals(ours.match(method, path), expected, `${method} ${path} again`);
    }
  }
});

Deno.test("a path without parameters is looked up once", () => {
  const router = withRoutes(new RememberingRouter<string>());
  assertStrictEquals(router.match("POST", "/jobs"), router.match("POST", "/jobs"));
});

Deno.test("what callers ask for beyond the routes is not remembered", () => {
  const router = withRoutes(new RememberingRouter<string>());
  for (const [method, path] of [["BREW", "/jobs"], ["POST", "/nowhere"], ["GET", "/jobs/7"]] as const) {
    assertNotStrictEquals(router.match(method, path), router.match(method, path));
  }
});

Deno.test("a route that is added later is found at a path that was asked for before", () => {
  const router = withRoutes(new RememberingRouter<string>());
  router.match("POST", "/jobs");
  router.add("POST", "/:any", "later");
  assertEquals(router.match("POST", "/jobs")[0].map(([handler]) => handler), ["POST /jobs", "later"]);
});
