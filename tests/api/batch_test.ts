import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Job } from "../../src/actors/job/job.ts";
import { BatchTooLargeError, IdempotentJobDeletedError } from "../../src/actors/errors.ts";
import type { CreateOutcome } from "../../src/actors/jobs.ts";
import type { Problem } from "../../src/api/problem.ts";
import { EventTooLargeError, LogUnavailableError, UnknownOutcomeError } from "../../src/events/errors.ts";
import { JOBS, problemIn, READER, testApp } from "./support/test_app.ts";

const BATCH = `${JOBS}/batch`;
const MIB = 1024 * 1024;

interface Result {
  readonly job?: Job;
  readonly error?: Problem;
}

async function resultsIn(response: Response, status = 201): Promise<Result[]> {
  assertEquals([response.status, response.headers.get("Content-Type")], [status, "application/json"]);
  return await response.json();
}

const email = (to: string) => ({ job_type: "email_send", payload: { to, subject: "" } });

Deno.test("POST /background-jobs/batch creates jobs just as they are created one by one, and answers in order", async () => {
  const { jobs, call } = testApp();
  const wishes = [
    { job_type: "anything" },
    { ...email("a@example.com"), priority: "high", queue: "mail", tags: ["x", "x"], backoff: { factor: 1 } },
    { job_type: "anything", scheduled_at: "2020-02-29T23:30:00+05:30", max_retries: 0 },
  ];
  const results = await resultsIn(await call("POST", BATCH, { jobs: wishes }));
  assertEquals(results.map(({ job }) => job), [...jobs.stored.values()]);
  const [specs, meta, options] = jobs.last("createMany") as [unknown[], object, object];
  assertEquals(meta, { actor: "admin", request_id: "request-1", causation_id: null, reason: null });
  assertEquals(options, { atomic: false, idempotency: undefined });
  for (const [i, wish] of wishes.entries()) {
    await call("POST", JOBS, wish);
    assertEquals(specs[i], jobs.last("create")?.[0]);
  }
});

const REFUSED: readonly [what: string, item: string, pointer: string | undefined][] = [
  ["an unknown type", '{"job_type":"invalid_type"}', "/job_type"],
  ["a missing type", "{}", "/job_type"],
  ["a payload that lacks a field", '{"job_type":"email_send"}', "/payload/to"],
  ["a field that nobody knows", '{"job_type":"anything","colour":1}', "/colour"],
  ["a name with a slash", '{"job_type":"anything","a/b":1}', "/a~1b"],
  ["a payload that its schema stumbles over", '{"job_type":"brittle"}', "/payload"],
  ["a payload that an asynchronous check refuses", '{"job_type":"asynchronous"}', "/payload"],
  ["a number that no double holds", '{"job_type":"anything","payload":{"n":[1e400]}}', "/payload/n/0"],
  ["a lone surrogate", '{"job_type":"anything","payload":{"n":"\\ud800"}}', "/payload/n"],
  [
    "a __proto__ field",
    '{"job_type":"anything","payload":{"__proto__":{"x":1}}}',
    "/payload/__proto__",
  ],
  [
    "too deep a payload",
    `{"job_type":"anything","payload":{"a":${"[".repeat(63)}${"]".repeat(63)}}}`,
    `/payload/a${"/0".repeat(62)}`,
  ],
  ["an array", "[]", ""],
  ["null", "null", ""],
  ["a string", '"x"', ""],
  [
    "a payload over 48 KiB",
    `{"job_type":"anything","payload":{"text":"${"x".repeat(49_142)}"}}`,
    undefined,
  ],
];

for (const [what, item, pointer] of REFUSED) {
  Deno.test(`POST /background-jobs/batch answers ${what} with the problem of a single create, and creates the rest`, async () => {
    const { jobs, call } = testApp();
    const text = `{"jobs":[{"job_type":"anything"},${item},{"job_type":"asynchronous","payload":{"ok":1}}]}`;
    const results = await resultsIn(await call("POST", BATCH, text));
    assertEquals(results.map((result) => Object.keys(result)), [["job"], ["error"], ["job"]]);
    assertEquals(jobs.stored.size, 2);

    const single: Problem = await (await call("POST", JOBS, item)).json();
    const led = single.errors?.map((error) =>
      "pointer" in error ? { ...error, pointer: `/jobs/1${error.pointer}` } : error
    );
    assertEquals(results[1]?.error, { ...single, ...(led && { errors: led }) });
    const [first] = single.errors ?? [];
    assertEquals(first && "pointer" in first ? first.pointer : undefined, pointer);
  });

  Deno.test(`POST /background-jobs/batch refuses an atomic batch with ${what}, and creates nothing`, async () => {
    const { jobs, call } = testApp();
    const text = `{"atomic":true,"jobs":[{"job_type":"anything"},${item}]}`;
    const status = what === "a payload over 48 KiB" ? 413 : 422;
    const { errors } = await problemIn(await call("POST", BATCH, text), status);
    const [first] = errors ?? [];
    assert(first && "pointer" in first);
    assertEquals(first.pointer, `/jobs/1${pointer ?? ""}`);
    assertEquals(jobs.received, []);
  });
}

Deno.test("POST /background-jobs/batch refuses an atomic batch with 422 when some items are too large and others wrong", async () => {
  const { call } = testApp();
  const large = { job_type: "anything", payload: { text: "x".repeat(49_142) } };
  const { errors } = await problemIn(
    await call("POST", BATCH, { atomic: true, jobs: [large, { job_type: "invalid_type" }] }),
    422,
  );
  assertEquals(errors?.map((item) => "pointer" in item && item.pointer), ["/jobs/0", "/jobs/1/job_type"]);
});

Deno.test("POST /background-jobs/batch names every item of an atomic batch that does not fit", async () => {
  const { call } = testApp();
  const bad = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`unknown-${i}`, 1]));
  const jobs = Array.from({ length: 100 }, (_, i) => i % 2 ? bad : { job_type: "anything" });
  const { errors } = await problemIn(await call("POST", BATCH, { atomic: true, jobs }), 422);
  const named = new Set(errors?.map((error) => "pointer" in error && error.pointer.split("/")[2]));
  assertEquals([...named], Array.from({ length: 50 }, (_, i) => String(2 * i + 1)));
  assertEquals(errors?.length, 100);
});

Deno.test("POST /background-jobs/batch answers 201 and the errors when no item fits", async () => {
  const { jobs, call } = testApp();
  const results = await resultsIn(await call("POST", BATCH, { jobs: [1, {}] }));
  assertEquals(results.map(({ error }) => error?.status), [422, 422]);
  assertEquals(jobs.received, []);
});

const NOT_A_BATCH: readonly [string, unknown, string, string][] = [
  ["no jobs", {}, "/jobs", "required field 'jobs' missing from body"],
  ["an empty batch", { jobs: [] }, "/jobs", "a batch has at least one job"],
  ["jobs that are no array", { jobs: { length: 1 } }, "/jobs", "field 'jobs' must be an array"],
  [
    "an atomic that is no boolean",
    { jobs: [{ job_type: "anything" }], atomic: "true" },
    "/atomic",
    "field 'atomic' must be true or false",
  ],
  [
    "an unknown field",
    { jobs: [{ job_type: "anything" }], dry_run: true },
    "/dry_run",
    "unknown field 'dry_run'",
  ],
  [
    "a __proto__ field",
    '{"jobs":[{"job_type":"anything"}],"__proto__":{"atomic":true}}',
    "/__proto__",
    "unknown field '__proto__'",
  ],
  ["an array as body", [], "", "the body must be a JSON object"],
];

for (const [what, body, pointer, message] of NOT_A_BATCH) {
  Deno.test(`POST /background-jobs/batch refuses ${what} with 422`, async () => {
    const { jobs, call } = testApp();
    const { errors } = await problemIn(await call("POST", BATCH, body), 422);
    assertEquals(errors, [{ pointer, message }]);
    assertEquals(jobs.received, []);
  });
}

Deno.test("POST /background-jobs/batch takes 1000 jobs and answers 413 to 1001, 100 and 101 when atomic", async () => {
  const { jobs, call } = testApp();
  const batch = (count: number, atomic: boolean) =>
    call("POST", BATCH, { atomic, jobs: Array(count).fill({ job_type: "anything" }) });
  assertEquals((await resultsIn(await batch(1000, false))).length, 1000);
  assertEquals(
    (await problemIn(await batch(1001, false), 413)).detail,
    "A batch may have at most 1000 jobs, this one has 1001",
  );
  assertEquals((await resultsIn(await batch(100, true))).length, 100);
  assertMatch(
    (await problemIn(await batch(101, true), 413)).detail,
    /^An atomic batch may have at most 100 jobs in 409600 bytes, this one has 101 in/,
  );
  assertEquals(jobs.stored.size, 1100);
});

Deno.test("POST /background-jobs/batch takes a body of 16 MiB and answers 413 to a larger one, 400 KiB when atomic", async () => {
  const { call } = testApp();
  const padded = (bytes: number, head: string) => head.padEnd(bytes - 1) + "}";
  const batch = '{"jobs":[{"job_type":"anything"}]';
  const atomic = '{"atomic":true,"jobs":[{"job_type":"anything"}]';
  assertEquals((await call("POST", BATCH, padded(16 * MIB, batch))).status, 201);
  await problemIn(await call("POST", BATCH, padded(16 * MIB + 1, batch)), 413);
  assertEquals((await call("POST", BATCH, padded(400 * 1024, atomic))).status, 201);
  await problemIn(await call("POST", BATCH, padded(400 * 1024 + 1, atomic)), 413);
  await problemIn(await call("POST", JOBS, padded(128 * 1024 + 1, '{"job_type":"anything"')), 413);
});

Deno.test("POST /background-jobs/batch answers 413 to an atomic batch that no commit can hold", async () => {
  const { jobs, call } = testApp();
  jobs.failure = new BatchTooLargeError("keys", 2_400, 900);
  const { detail } = await problemIn(
    await call("POST", BATCH, { atomic: true, jobs: [{ job_type: "anything" }] }),
    413,
  );
  assertMatch(
    detail,
    /^One commit holds 900 keys, and these jobs .* need 2400\. Send fewer jobs, or leave out/,
  );
});

Deno.test("POST /background-jobs/batch with an Idempotency-Key answers 200 to an equal body, 422 to another", async () => {
  const { jobs, call } = testApp();
  const headers = { "Idempotency-Key": "once" };
  const send = (text: string) => call("POST", BATCH, text, { headers });
  const first = await resultsIn(
    await send('{"jobs":[{"job_type":"anything","queue":"q"},{},[1e400,"\\ud800"]]}'),
  );
  assertEquals(jobs.stored.size, 1);
  const equal = '{ "atomic":false, "jobs": [{"queue":"q","job_type":"anything"}, {}, [1e400, "\\ud800"]] }';
  const again = await resultsIn(await send(equal), 200);
  assertEquals(again, first);
  for (
    const other of [
      '{"jobs":[{"job_type":"anything","queue":"q"},{}]}',
      '{"jobs":[{"job_type":"anything","queue":"q"},{},[2,"\\ud800"]]}',
      '{"jobs":[{},{"job_type":"anything","queue":"q"},[1e400,"\\ud800"]]}',
      '{"jobs":[{"job_type":"anything","queue":"p"},{},[1e400,"\\ud800"]]}',
    ]
  ) await problemIn(await send(other), 422);
  assertEquals(jobs.stored.size, 1);
});

Deno.test("POST /background-jobs/batch answers 200 to a repetition that creates nothing, also when a job was deleted", async () => {
  const { jobs, call } = testApp();
  const outcomes: CreateOutcome[] = [
    { job: jobs.add("completed"), created: false },
    { error: new IdempotentJobDeletedError("gone") },
  ];
  Object.assign(jobs.commands, { createMany: () => Promise.resolve(outcomes) });
  const body = { jobs: [{ job_type: "anything" }, { job_type: "anything" }] };
  const [, deleted] = await resultsIn(
    await call("POST", BATCH, body, { headers: { "Idempotency-Key": "k" } }),
    200,
  );
  assertEquals(deleted?.error?.status, 409);
});

Deno.test("POST /background-jobs/batch tells an atomic batch from one that is not by its hash", async () => {
  const { jobs, call } = testApp();
  const hashes = [];
  for (const [i, atomic] of [true, false].entries()) {
    const headers = { "Idempotency-Key": `key-${i}` };
    await call("POST", BATCH, { atomic, jobs: [{ job_type: "anything" }] }, { headers });
    const options = jobs.last("createMany")?.[2] as { idempotency: { bodyHash: string } };
    hashes.push(options.idempotency.bodyHash);
  }
  assertNotEquals(hashes[0], hashes[1]);
});

const REFUSES = new LogUnavailableError("database or disk is full");
const UNKNOWN = new UnknownOutcomeError(new Promise(() => {}), "the store did not answer");

Deno.test("POST /background-jobs/batch of which nothing was written is answered as a single create is", async () => {
  for (const errors of [[REFUSES], [UNKNOWN], [REFUSES, UNKNOWN]]) {
    const { jobs, call } = testApp();
    jobs.failureOfItem = (i) => errors[i % errors.length];
    const body = { jobs: [{ job_type: "anything" }, { job_type: "anything" }, {}] };
    const response = await call("POST", BATCH, body);
    assertEquals(response.headers.get("Retry-After"), "5");
    const problem = await problemIn(response, 503);
    jobs.failure = errors.at(-1);
    assertEquals(problem, await problemIn(await call("POST", JOBS, { job_type: "anything" }), 503));
  }
});

Deno.test("POST /background-jobs/batch tells of each item that was not written when others were", async () => {
  const { jobs, call } = testApp();
  jobs.failureOfItem = (i) => [undefined, REFUSES, UNKNOWN][i];
  const body = { jobs: Array(3).fill({ job_type: "anything" }) };
  const [first, second, third] = await resultsIn(await call("POST", BATCH, body));
  assertEquals(first?.job?.id, [...jobs.stored.keys()][0]);
  assertEquals([second?.error?.status, third?.error?.status], [503, 503]);
  assertMatch(second!.error!.detail, /disk is full\. Nothing was written$/);
  assertMatch(third!.error!.detail, /not known whether the write landed.* same Idempotency-Key$/);
});

Deno.test("POST /background-jobs/batch keeps an event that is too large to itself", async () => {
  const { jobs, call } = testApp();
  jobs.failureOfItem = () => new EventTooLargeError("job/1", "job.created", 70_000, 61_440);
  const results = await resultsIn(await call("POST", BATCH, { jobs: [{ job_type: "anything" }] }));
  assertEquals(results[0]?.error?.status, 413);
});

Deno.test("POST /background-jobs/batch hides a mistake of ours and logs it", async () => {
  const { jobs, call, logged } = testApp();
  jobs.failureOfItem = (i) => i === 1 ? new TypeError("secret") : undefined;
  const problem = await problemIn(
    await call("POST", BATCH, { jobs: [{ job_type: "anything" }, { job_type: "anything" }] }),
    500,
  );
  assert(!problem.detail.includes("secret"));
  assertMatch(logged.join(), /secret/);
});

Deno.test("/background-jobs/batch takes POST only, no parameters, and needs the scope jobs:write", async () => {
  const { call } = testApp();
  const body = { jobs: [{ job_type: "anything" }] };
  for (const method of ["GET", "PATCH", "DELETE", "PUT"]) {
    const response = await call(method, BATCH);
    await problemIn(response, 405);
    assertEquals(response.headers.get("Allow"), "POST");
  }
  await problemIn(await call("POST", `${BATCH}?atomic=true`, body), 422);
  await problemIn(await call("POST", BATCH, body, { token: READER }), 403);
  await problemIn(await call("POST", BATCH, body, { headers: { "Idempotency-Key": "k".repeat(256) } }), 422);
});
