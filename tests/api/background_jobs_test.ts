import { assertEquals, assertMatch } from "@std/assert";
import type { Job } from "../../src/actors/job/job.ts";
import { ADMIN, JOBS, problemIn, READER, testApp } from "./support/test_app.ts";

Deno.test("GET /background-jobs lists 50 jobs, newest first, as an array", async () => {
  const { jobs, call } = testApp();
  for (let index = 0; index < 51; index++) jobs.add();
  const response = await call("GET", JOBS, undefined, { token: READER });
  assertEquals(response.status, 200);
  const list: Job[] = await response.json();
  assertEquals(list.length, 50);
  assertEquals(list[0], [...jobs.stored.values()].at(-1));
  assertEquals(jobs.last("list"), [{}, { limit: 50 }]);
});

Deno.test("GET /background-jobs hands every filter on, times as milliseconds", async () => {
  const { jobs, call } = testApp();
  const query = new URLSearchParams({
    status: "failed",
    job_type: "email_send",
    queue: "mail",
    priority: "high",
    tag: "ünïcode",
    created_after: "2026-01-01T00:00:00+01:00",
    created_before: "2026-02-01T00:00:00.5Z",
    limit: "500",
  });
  assertEquals((await call("GET", `${JOBS}?${query}`)).status, 200);
  assertEquals(jobs.last("list"), [{
    status: "failed",
    job_type: "email_send",
    queue: "mail",
    priority: "high",
    tag: "ünïcode",
    createdAfter: Date.parse("2025-12-31T23:00:00Z"),
    createdBefore: Date.parse("2026-02-01T00:00:00.500Z"),
  }, { limit: 500 }]);
});

Deno.test("GET /background-jobs leads by Link through all pages of the same list", async () => {
  const { jobs, app, call } = testApp();
  for (let index = 0; index < 5; index++) jobs.add("queued", { tags: ["a&b>c"] });
  jobs.add("failed");
  const seen: string[] = [];
  let response = await call("GET", `${JOBS}?tag=a%26b%3Ec&limit=2`);
  while (true) {
    seen.push(...(await response.json() as Job[]).map(({ id }) => id));
    const link = response.headers.get("Link");
    if (link === null) break;
    const target = /^<(\/api\/system\/background-jobs\?[^<>]+)>; rel="next"$/.exec(link)?.[1] ?? "";
    response = await app.request(target, { headers: { Authorization: `Bearer ${ADMIN}` } });
    assertEquals(response.status, 200, target);
  }
  assertEquals(seen, [...jobs.stored.keys()].slice(0, 5).reverse());
});

const REFUSED: readonly [string, string, string][] = [
  ["limit=0", "limit", "parameter 'limit' must be a whole number from 1 to 500"],
  ["limit=501", "limit", "parameter 'limit' must be a whole number from 1 to 500"],
  ["limit=abc", "limit", "parameter 'limit' must be a whole number from 1 to 500"],
  ["limit=1e2", "limit", "parameter 'limit' must be a whole number from 1 to 500"],
  ["limit=", "limit", "parameter 'limit' must be a whole number from 1 to 500"],
  ["limit=5&limit=5", "limit", "parameter 'limit' is given twice"],
  ["as_of=2026-01-01T00:00:00Z", "as_of", "unknown parameter 'as_of'"],
  ["__proto__=1", "__proto__", "unknown parameter '__proto__'"],
  ["=1", "", "unknown parameter ''"],
  [
    "status=done",
    "status",
    "parameter 'status' must be one of 'queued', 'processing', 'completed', 'failed', 'cancelled'",
  ],
  ["queue=a/b", "queue", "a queue's name has 1 to 64 of the characters A-Z a-z 0-9 _ . -"],
  ["tag=", "tag", "a tag has 1 to 64 characters"],
  ["cursor=", "cursor", "the cursor is none that this list has given out"],
  ["cursor=ajE6eA", "cursor", "the cursor is none that this list has given out"],
  ["cursor=%00", "cursor", "the cursor is none that this list has given out"],
];

for (const [query, parameter, message] of REFUSED) {
  Deno.test(`GET /background-jobs refuses ?${query} with 422 and the parameter's name`, async () => {
    const { jobs, call } = testApp();
    const problem = await problemIn(await call("GET", `${JOBS}?${query}`), 422);
    assertEquals(problem.errors, [{ parameter, message }]);
    assertEquals(jobs.received, []);
  });
}

Deno.test("GET /background-jobs refuses a cursor of the list as of a moment, and that list one of this", async () => {
  const { jobs, call } = testApp();
  for (let index = 0; index < 3; index++) jobs.add();
  const lists = [`${JOBS}?limit=1`, `${JOBS}?limit=1&at=2026-01-07T10:15:32Z`];
  const cursors = await Promise.all(lists.map(async (list) => {
    const link = (await call("GET", list)).headers.get("Link")!;
    return new URL(/<(.+?)>/.exec(link)![1]!, "http://localhost").searchParams.get("cursor");
  }));
  for (const [i, list] of lists.entries()) {
    assertEquals((await call("GET", `${list}&cursor=${cursors[i]}`)).status, 200);
    const { errors } = await problemIn(await call("GET", `${list}&cursor=${cursors[1 - i]}`), 422);
    assertEquals(errors, [{
      parameter: "cursor",
      message: "the cursor is none that this list has given out",
    }]);
  }
});

Deno.test("GET /background-jobs refuses a time that is none", async () => {
  const { call } = testApp();
  for (const time of ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "0000-01-01T00:00:00%2B01:00"]) {
    const problem = await problemIn(await call("GET", `${JOBS}?created_after=${time}`), 422);
    assertMatch(problem.detail, /time/);
  }
});

Deno.test("GET /stats answers the counts, and takes no parameters", async () => {
  const { jobs, call } = testApp();
  jobs.add("failed");
  const response = await call("GET", "/api/system/stats", undefined, { token: READER });
  assertEquals(response.status, 200);
  assertEquals((await response.json()).by_status.failed, 1);
  await problemIn(await call("GET", "/api/system/stats?x=1"), 422);
});
