import { assert, assertEquals } from "@std/assert";
import { isSecretName, redact } from "../../src/logging/redact.ts";

const CASES: [string, string][] = [
  ["smtp://user:password@mail.test:25 refused", "smtp://***@mail.test:25 refused"],
  ["redis://:pass@host/0", "redis://***@host/0"],
  ["postgres://u:p@ss@db/app", "postgres://***@db/app"],
  ["postgres://u:p/w?x#y@db/app", "postgres://***@db/app"],
  ["GET http://localhost:2000/x?to=a@b.test", "GET http://localhost:2000/x?to=a@b.test"],
  ["a@b.test wrote to https://b.test/", "a@b.test wrote to https://b.test/"],
  ["Authorization: Bearer abc.DEF-123_~+/=", "Authorization: Bearer ***"],
  ["bearer\tabc, Bearer def", "bearer\t***, Bearer ***"],
  ["Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic ***"],
  ["the basic rule", "the basic rule"],
  ["/events?access_token=abc&after=1", "/events?access_token=***&after=1"],
  [`{"password":"hunter2","to":"x"}`, `{"password":"***","to":"x"}`],
  ["DENO_KV_ACCESS_TOKEN=abc set", "DENO_KV_ACCESS_TOKEN=*** set"],
  ["no token was given", "no token was given"],
];

for (const [given, shown] of CASES) {
  Deno.test(`redact() turns "${given}" into "${shown}"`, () => assertEquals(redact(given), shown));
}

Deno.test("isSecretName() knows the fields whose value is never shown", () => {
  for (const name of ["token", "access_token", "Authorization", "smtp_password", "api_key", "cookie"]) {
    assertEquals(isSecretName(name), true, name);
  }
  for (const name of ["job_id", "tokens_deleted", "attempt", "url"]) {
    assertEquals(isSecretName(name), false, name);
  }
});

Deno.test("redact() takes time in proportion to the text, whatever that is made of", () => {
  for (const part of ["a.", "a-", "://a:b", "token", "bearer ", "a:b@"]) {
    const started = performance.now();
    redact(`://token=${part.repeat(100_000)}`);
    // Milliseconds in truth; minutes if it grew with the square.
    assert(performance.now() - started < 5_000, part);
  }
});
