import { assertEquals } from "@std/assert";
import type { JobSpec } from "../../src/actors/jobs.ts";
import { createClient } from "../../src/api/client.ts";
import { ADMIN, jobIn, JOBS, problemIn, READER, TEST_BACKOFF, testApp } from "./support/test_app.ts";

const BULK = `${JOBS}/bulk`;
const FILTER = {
  status: "failed",
  job_type: "email_send",
  queue: "mail",
  priority: "high",
  tag: "ünïcode",
  created_after: "2026-01-01T00:00:00+01:00",
  created_before: "2026-02-01T00:00:00.5Z",
};

Deno.test("POST /background-jobs/bulk starts an operation, which is a job of its own queue, and leads to it", async () => {
  const { jobs, call } = testApp();
  const payload = { action: "retry", filter: FILTER, reason: "the mail server is back" };
  const response = await call("POST", BULK, payload);
  assertEquals(response.status, 202);
  const job = await jobIn(response);
  assertEquals(response.headers.get("Location"), `${JOBS}/${job.id}`);
  assertEquals(response.headers.get("ETag"), '"1"');
  const spec: JobSpec = {
    job_type: "bulk_operation",
    queue: "bulk_operations",
    payload,
    priority: "normal",
    max_retries: 3,
    scheduled_at: null,
    timeout_seconds: 86_400,
    backoff: TEST_BACKOFF,
    tags: [],
  };
  assertEquals(jobs.last("create")?.slice(0, 2), [spec, {
    actor: "admin",
    request_id: "request-1",
    causation_id: null,
    reason: null,
  }]);
});

Deno.test("POST /background-jobs/bulk with dry_run answers how many jobs it would be about, and starts nothing", async () => {
  const { jobs, call } = testApp();
  jobs.add("queued", { tags: ["red"] });
  jobs.add("queued");
  const wish = { action: "cancel", filter: { tag: "red", created_after: "2026-01-01T00:00:00Z" } };
  const response = await call("POST", BULK, { ...wish, dry_run: true });
  assertEquals([response.status, await response.json()], [200, { ...wish, dry_run: true, count: 1 }]);
  const [selection] = jobs.last("count")!;
  assertEquals((selection as { filter: unknown }).filter, {
    tag: "red",
    createdAfter: Date.parse("2026-01-01T00:00:00Z"),
  });
  assertEquals(jobs.last("create"), undefined);
});

Deno.test("POST /background-jobs/bulk with the same Idempotency-Key and body answers the same operation", async () => {
  const { call } = testApp();
  const headers = { "Idempotency-Key": "spring cleaning" };
  const wish = { action: "delete", filter: {} };
  const first = await jobIn(await call("POST", BULK, wish, { headers }));
  const again = await call("POST", BULK, { filter: {}, action: "delete", dry_run: false }, { headers });
  await problemIn(again, 422);
  const same = await call("POST", BULK, { filter: {}, action: "delete" }, { headers });
  assertEquals([same.status, (await jobIn(same)).id], [200, first.id]);
});

const REFUSED: readonly [unknown, string, string][] = [
  [{ filter: {} }, "/action", "required field 'action' missing from body"],
  [{ action: "cancel" }, "/filter", "required field 'filter' missing from body"],
  [{ action: "stop", filter: {} }, "/action", "field 'action' must be one of 'cancel', 'retry', 'delete'"],
  [{ action: "cancel", filter: null }, "/filter", "field 'filter' must be a JSON object"],
  [{ action: "cancel", filter: [] }, "/filter", "field 'filter' must be a JSON object"],
  [{ action: "cancel", filter: {}, dryrun: true }, "/dryrun", "unknown field 'dryrun'"],
  [{ action: "cancel", filter: {}, dry_run: "yes" }, "/dry_run", "field 'dry_run' must be true or false"],
  [{ action: "cancel", filter: { id: "1" } }, "/filter/id", "unknown field 'id'"],
  [{ action: "cancel", filter: { tag: "" } }, "/filter/tag", "a tag has 1 to 64 characters"],
  [{ action: "cancel", filter: {}, reason: "" }, "/reason", "a reason has 1 to 1024 bytes in UTF-8"],
  [
    { action: "cancel", filter: { queue: "a/b" } },
    "/filter/queue",
    "a queue's name has 1 to 64 of the characters A-Z a-z 0-9 _ . -",
  ],
  [
    { action: "cancel", filter: { created_after: "yesterday" } },
    "/filter/created_after",
    "field 'filter.created_after' must be a time in ISO 8601 with Z or an offset, such as 2026-01-07T10:15:32.000Z",
  ],
];

for (const [body, pointer, message] of REFUSED) {
  Deno.test(`POST /background-jobs/bulk refuses ${JSON.stringify(body)} with 422 and a pointer`, async () => {
    const { jobs, call } = testApp();
    const problem = await problemIn(await call("POST", BULK, body), 422);
    assertEquals(problem.errors, [{ pointer, message }]);
    assertEquals(jobs.received, []);
  });
}

Deno.test("POST /background-jobs refuses a bulk operation that POST /background-jobs/bulk would refuse", async () => {
  const { call } = testApp();
  const create = (payload: unknown, rest = {}) =>
    call("POST", JOBS, { job_type: "bulk_operation", payload, ...rest });
  const missing = await problemIn(await create({ action: "cancel" }), 422);
  assertEquals(missing.errors, [{
    pointer: "/payload/filter",
    message: "required field 'filter' missing from payload",
  }]);
  const dry = await problemIn(await create({ action: "cancel", filter: {}, dry_run: true }), 422);
  assertEquals(dry.errors?.map((item) => "pointer" in item && item.pointer), ["/payload/dry_run"]);
  const scheduled = { scheduled_at: "2026-03-01T03:00:00.000Z", queue: "bulk_operations" };
  const job = await jobIn(await create({ action: "delete", filter: { status: "completed" } }, scheduled));
  assertEquals([job.queue, job.timeout_seconds], ["bulk_operations", 86_400]);
});

Deno.test("bulk operations stay in their queue and other jobs out of it", async () => {
  const { jobs, call } = testApp();
  const errors = [{
    pointer: "/queue",
    message: "queue 'bulk_operations' is for jobs of type 'bulk_operation', which can be in no other",
  }];
  const payload = { action: "cancel", filter: {} };
  const operation = { job_type: "bulk_operation", payload, queue: "default" };
  assertEquals((await problemIn(await call("POST", JOBS, operation), 422)).errors, errors);
  const ordinary = { job_type: "anything", queue: "bulk_operations" };
  assertEquals((await problemIn(await call("POST", JOBS, ordinary), 422)).errors, errors);
  const { id } = jobs.add();
  const move = await call("PATCH", `${JOBS}/${id}`, { queue: "bulk_operations" });
  assertEquals((await problemIn(move, 422)).errors, errors);
  assertEquals((await call("PATCH", `${JOBS}/${id}`, { queue: "mail" })).status, 200);
});

Deno.test("POST /background-jobs/bulk asks for the scope jobs:write, for a dry run too", async () => {
  const { call } = testApp();
  const wish = { action: "cancel", filter: {}, dry_run: true };
  await problemIn(await call("POST", BULK, wish, { token: READER }), 403);
});

Deno.test("GET /background-jobs/bulk is no job but a method that is not there", async () => {
  const { call } = testApp();
  const response = await call("GET", BULK);
  assertEquals(response.headers.get("Allow"), "POST");
  await problemIn(response, 405);
});

Deno.test("a dry run whose server stops is answered with 503", async () => {
  const stopping = new AbortController();
  const { jobs, call } = testApp({ stopping: stopping.signal });
  jobs.failure = new DOMException("stopping", "AbortError");
  stopping.abort();
  const response = await call("POST", BULK, { action: "cancel", filter: { tag: "red" }, dry_run: true });
  assertEquals(response.headers.get("Retry-After"), "5");
  await problemIn(response, 503);
});

Deno.test("the client starts bulk operations and asks how many jobs they would be about", async () => {
  const { app, jobs } = testApp();
  jobs.add();
  const client = createClient({
    url: "http://daybook",
    token: ADMIN,
    fetch: (url, init) => app.request(url, init),
  });
  assertEquals(await client.countBulk({ action: "cancel", filter: {} }), 1);
  const job = await client.bulk({ action: "cancel", filter: { tag: "red" } }, { idempotencyKey: "once" });
  assertEquals([job.job_type, job.payload], ["bulk_operation", { action: "cancel", filter: { tag: "red" } }]);
});
