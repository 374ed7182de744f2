import { assert, assertEquals, assertMatch } from "@std/assert";
import { jobIn, JOBS, problemIn, READER, TEST_BACKOFF, testApp } from "./support/test_app.ts";

Deno.test("POST /background-jobs creates a job with every default filled in", async () => {
  const { jobs, call } = testApp();
  const response = await call("POST", JOBS, { job_type: "anything" });
  assertEquals(response.status, 201);
  const job = await jobIn(response);
  assertEquals(response.headers.get("Location"), `${JOBS}/${job.id}`);
  assertEquals(response.headers.get("ETag"), '"1"');
  assertEquals(job.created_by, "admin");
  assertEquals(jobs.last("create"), [
    {
      job_type: "anything",
      payload: {},
      queue: "default",
      priority: "normal",
      max_retries: 3,
      scheduled_at: null,
      timeout_seconds: 300,
      backoff: TEST_BACKOFF,
      tags: [],
    },
    { actor: "admin", request_id: "request-1", causation_id: null, reason: null },
    undefined,
  ]);
});

Deno.test("POST /background-jobs takes every field, its time in UTC, its backoff filled up, each tag once", async () => {
  const { jobs, call } = testApp();
  const response = await call("POST", JOBS, {
    job_type: "email_send",
    payload: { to: "ada@example.com", subject: "Hi" },
    queue: "mail.out-1",
    priority: "critical",
    max_retries: 0,
    scheduled_at: "2020-02-29T23:30:00.1239+05:30",
    timeout_seconds: 0.5,
    backoff: { factor: 1.5, jitter: 1 },
    tags: ["b", "a", "b", "🚀".repeat(64)],
  });
  assertEquals(response.status, 201);
  assertEquals(jobs.last("create")?.[0], {
    job_type: "email_send",
    payload: { to: "ada@example.com", subject: "Hi" },
    queue: "mail.out-1",
    priority: "critical",
    max_retries: 0,
    scheduled_at: "2020-02-29T18:00:00.123Z",
    timeout_seconds: 0.5,
    backoff: { ...TEST_BACKOFF, factor: 1.5, jitter: 1 },
    tags: ["b", "a", "🚀".repeat(64)],
  });
});

Deno.test("POST /background-jobs takes the job type's own timeout where the caller names none", async () => {
  const { jobs, call } = testApp();
  await call("POST", JOBS, { job_type: "email_send", payload: { to: "a@example.com", subject: "" } });
  const spec = jobs.last("create")?.[0] as { timeout_seconds: number; payload: unknown };
  assertEquals(spec.timeout_seconds, 60);
});

Deno.test("POST /background-jobs keeps the payload as it was sent, without the schema's own defaults", async () => {
  const { jobs, call } = testApp();
  const payload = { subject: "", to: "a@example.com", data: { 2: [null, 1.5, "\u0000"], constructor: {} } };
  await call("POST", JOBS, { job_type: "email_send", payload });
  const spec = jobs.last("create")?.[0] as { payload: unknown };
  assertEquals(JSON.stringify(spec.payload), JSON.stringify(payload));
});

const REFUSED: readonly [string, unknown, string, string][] = [
  ["no job_type", {}, "/job_type", "required field 'job_type' missing from body"],
  ["another type than a string", { job_type: 1 }, "/job_type", "field 'job_type' must be a string"],
  ["an unknown type", { job_type: "invalid_type" }, "/job_type", "Unknown job type: 'invalid_type'"],
  ["an inherited name as type", { job_type: "toString" }, "/job_type", "Unknown job type: 'toString'"],
  ["an unknown field", { job_type: "anything", unique: {} }, "/unique", "unknown field 'unique'"],
  ["depends_on", { job_type: "anything", depends_on: [] }, "/depends_on", "unknown field 'depends_on'"],
  [
    "a payload that lacks a field",
    { job_type: "email_send", payload: {} },
    "/payload/to",
    "required field 'to' missing from payload",
  ],
  [
    "no payload where the type demands one",
    { job_type: "email_send" },
    "/payload/to",
    "required field 'to' missing from payload",
  ],
  [
    "a payload with a wrong value",
    { job_type: "email_send", payload: { to: "ada", subject: "" } },
    "/payload/to",
    "field 'to' must be an e-mail address",
  ],
  [
    "a payload with an unknown field",
    { job_type: "email_send", payload: { to: "a@example.com", subject: "", cc: 1 } },
    "/payload/cc",
    "unknown field 'cc'",
  ],
  [
    "a payload that lacks a nested field",
    { job_type: "email_send", payload: { to: "a@example.com", subject: "", nested: {} } },
    "/payload/nested/a~1b",
    "required field 'nested.a/b' missing from payload",
  ],
  [
    "a payload that fits no alternative",
    { job_type: "email_send", payload: { to: "a@example.com", subject: "", who: [1.5] } },
    "/payload/who/0",
    "field 'who.0' must be a whole number",
  ],
  [
    "a payload that is an array",
    { job_type: "anything", payload: [] },
    "/payload",
    "field 'payload' must be a JSON object",
  ],
  [
    "a payload of null",
    { job_type: "anything", payload: null },
    "/payload",
    "field 'payload' must be a JSON object",
  ],
  [
    "a payload that its schema stumbles over",
    { job_type: "brittle" },
    "/payload",
    "the payload cannot be checked by its job type: TypeError",
  ],
  [
    "a payload that an asynchronous check refuses",
    { job_type: "asynchronous" },
    "/payload",
    "the payload must be ok",
  ],
  [
    "a wrong priority",
    { job_type: "anything", priority: "urgent" },
    "/priority",
    "field 'priority' must be one of 'low', 'normal', 'high', 'critical'",
  ],
  [
    "a queue's name with a space",
    { job_type: "anything", queue: "a b" },
    "/queue",
    "a queue's name has 1 to 64 of the characters A-Z a-z 0-9 _ . -",
  ],
  [
    "26 retries",
    { job_type: "anything", max_retries: 26 },
    "/max_retries",
    "field 'max_retries' must be at most 25",
  ],
  [
    "half a retry",
    { job_type: "anything", max_retries: 1.5 },
    "/max_retries",
    "field 'max_retries' must be a whole number",
  ],
  [
    "a timeout of 0",
    { job_type: "anything", timeout_seconds: 0 },
    "/timeout_seconds",
    "field 'timeout_seconds' must be more than 0",
  ],
  [
    "a time without offset",
    { job_type: "anything", scheduled_at: "2026-01-07T10:15:32" },
    "/scheduled_at",
    "field 'scheduled_at' must be a time in ISO 8601 with Z or an offset, such as 2026-01-07T10:15:32.000Z",
  ],
  [
    "a day that no month has",
    { job_type: "anything", scheduled_at: "2026-02-29T10:15:32Z" },
    "/scheduled_at",
    "field 'scheduled_at' must be a time in ISO 8601 with Z or an offset, such as 2026-01-07T10:15:32.000Z",
  ],
  [
    "a time in the year 10000",
    { job_type: "anything", scheduled_at: "9999-12-31T23:59:59-01:00" },
    "/scheduled_at",
    "a time's year in UTC must be from 0000 to 9999",
  ],
  [
    "a backoff that shrinks",
    { job_type: "anything", backoff: { factor: 0.5 } },
    "/backoff/factor",
    "field 'backoff.factor' must be at least 1",
  ],
  [
    "an unknown member of backoff",
    { job_type: "anything", backoff: { base: 1 } },
    "/backoff/base",
    "unknown field 'base'",
  ],
  [
    "21 tags",
    { job_type: "anything", tags: Array(21).fill("a") },
    "/tags",
    "field 'tags' must have at most 20 items",
  ],
  ["an empty tag", { job_type: "anything", tags: ["a", ""] }, "/tags/1", "a tag has 1 to 64 characters"],
  [
    "a number no double holds",
    '{"job_type":"anything","payload":{"n":[1e400]}}',
    "/payload/n/0",
    "a number is too large for a 64-bit float",
  ],
  [
    "a lone surrogate",
    '{"job_type":"anything","payload":{"n":"\\ud800"}}',
    "/payload/n",
    "a string with a lone surrogate is not Unicode text",
  ],
  [
    "a __proto__ field",
    '{"job_type":"anything","payload":{"__proto__":{"x":1}}}',
    "/payload/__proto__",
    "a field cannot be named '__proto__'",
  ],
  ["an array as body", [], "", "the body must be a JSON object"],
  ["a string as body", '"x"', "", "the body must be a JSON object"],
];

for (const [what, body, pointer, message] of REFUSED) {
  Deno.test(`POST /background-jobs refuses ${what} with 422 and its place`, async () => {
    const { jobs, call } = testApp();
    const problem = await problemIn(await call("POST", JOBS, body), 422);
    assertEquals(problem.errors?.[0], { pointer, message });
    assertEquals(problem.title, "Unprocessable Content");
    assertEquals(jobs.received, []);
  });
}

Deno.test("POST /background-jobs names everything that does not fit, the first of it as detail", async () => {
  const { call } = testApp();
  const body = { job_type: "anything", priority: 1, queue: "", colour: "red" };
  const { errors } = await problemIn(await call("POST", JOBS, body), 422);
  assertEquals(errors?.map((item) => "pointer" in item && item.pointer), ["/priority", "/queue", "/colour"]);
});

Deno.test("POST /background-jobs takes a body 64 levels deep and refuses a deeper one", async () => {
  const { call } = testApp();
  const nested = (levels: number) =>
    `{"job_type":"anything","payload":{"a":${"[".repeat(levels - 2)}${"]".repeat(levels - 2)}}}`;
  assertEquals((await call("POST", JOBS, nested(64))).status, 201);
  const problem = await problemIn(await call("POST", JOBS, nested(65)), 422);
  assertEquals(problem.detail, "nested deeper than 64 levels");
  await problemIn(await call("POST", JOBS, nested(60_000)), 422);
});

Deno.test("POST /background-jobs answers 400 to what is not JSON and quotes nothing of it", async () => {
  const { call } = testApp();
  for (const body of ['{"job_type": secret}', "", "{", "undefined", "\u0000"]) {
    const problem = await problemIn(
      await call("POST", JOBS, body, { headers: { "Content-Type": "application/json" } }),
      400,
    );
    assertMatch(problem.detail, /^The body is not JSON( at position \d+)?$/);
  }
  const latin1 = Uint8Array.of(0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d);
  assertEquals((await problemIn(await call("POST", JOBS, latin1), 400)).detail, "The body is not UTF-8");
});

Deno.test("POST /background-jobs answers 415 to another type, charset or a compressed body", async () => {
  const { call } = testApp();
  const refused: Record<string, string>[] = [
    { "Content-Type": "text/plain" },
    { "Content-Type": "application/x-www-form-urlencoded" },
    { "Content-Type": "application/jsonx" },
    { "Content-Type": "application/json; charset=latin1" },
    { "Content-Type": "application/json", "Content-Encoding": "gzip" },
  ];
  for (const headers of refused) {
    await problemIn(await call("POST", JOBS, { job_type: "anything" }, { headers }), 415);
  }
  for (const type of ["application/json;charset=UTF-8", 'APPLICATION/JSON; charset="utf-8"']) {
    const response = await call("POST", JOBS, { job_type: "anything" }, {
      headers: { "Content-Type": type },
    });
    assertEquals(response.status, 201, type);
  }
});

Deno.test("POST /background-jobs answers 413 to a payload over 48 KiB as JSON, and takes one of 48 KiB", async () => {
  const { call } = testApp();
  const payload = (bytes: number) => ({ text: "x".repeat(bytes - '{"text":""}'.length) });
  assertEquals((await call("POST", JOBS, { job_type: "anything", payload: payload(49_152) })).status, 201);
  const problem = await problemIn(
    await call("POST", JOBS, { job_type: "anything", payload: payload(49_153) }),
    413,
  );
  assertEquals(problem.detail, "The payload has 49153 bytes as JSON, at most 49152 are allowed");
  // 3 bytes of UTF-8 each
  await problemIn(
    await call("POST", JOBS, { job_type: "anything", payload: { text: "€".repeat(16_400) } }),
    413,
  );
  // Written short, stored long.
  const growing = `{"job_type":"anything","payload":{"n":[${Array(3000).fill("1e20").join()}]}}`;
  await problemIn(await call("POST", JOBS, growing), 413);
});

Deno.test("POST /background-jobs answers 413 to a body over 128 KiB, announced or not, without reading on", async () => {
  const { call } = testApp();
  const text = `{"job_type":"anything"${" ".repeat(131_072 - 23)}}`;
  assertEquals(new TextEncoder().encode(text).byteLength, 131_072);
  assertEquals((await call("POST", JOBS, text)).status, 201);
  await problemIn(await call("POST", JOBS, `${text} `), 413);
  await problemIn(await call("POST", JOBS, "{}", { headers: { "Content-Length": "131073" } }), 413);

  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(65_536).fill(32));
    },
  });
  await problemIn(await call("POST", JOBS, endless), 413);
  assert(pulled < 6);
});

Deno.test("POST /background-jobs answers 400 when the body breaks off", async () => {
  const { call } = testApp();
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  await problemIn(await call("POST", JOBS, broken), 400);
});

Deno.test("POST /background-jobs with an Idempotency-Key hashes the body whatever its order and spaces", async () => {
  const { jobs, call } = testApp();
  const headers = { "Idempotency-Key": "k".repeat(255) };
  const first = await call("POST", JOBS, '{"job_type":"anything","payload":{"a":1,"b":1.0}}', { headers });
  assertEquals(first.status, 201);
  const { key, bodyHash } = jobs.last("create")?.[2] as { key: string; bodyHash: string };
  assertEquals(key, "k".repeat(255));
  assertMatch(bodyHash, /^[0-9a-f]{64}$/);

  const again = await call("POST", JOBS, '{ "payload": {"b":1,"a":1}, "job_type":"anything" }', { headers });
  assertEquals(again.status, 200);
  assertEquals((await jobIn(again)).id, (await jobIn(first)).id);
  assertEquals(again.headers.get("ETag"), '"1"');

  const other = await problemIn(await call("POST", JOBS, { job_type: "anything" }, { headers }), 422);
  assertMatch(other.detail, /^This Idempotency-Key was used with another body/);
});

Deno.test("POST /background-jobs and batch keep and hash what was sent, whatever the schema makes of it", async () => {
  const { jobs, call } = testApp();
  const job = { job_type: "changing", payload: { at: [] } };
  for (const [path, body, key] of [[JOBS, job, "one"], [`${JOBS}/batch`, { jobs: [job] }, "many"]] as const) {
    const post = () => call("POST", path, body, { headers: { "Idempotency-Key": key } });
    assertEquals([(await post()).status, (await post()).status], [201, 200], path);
  }
  assertEquals((jobs.last("create")?.[0] as { payload: unknown }).payload, { at: [] });
});

Deno.test("POST /background-jobs with an Idempotency-Key answers the job even when its body fits no more", async () => {
  const { jobs, call } = testApp();
  const body = { job_type: "anything" };
  const headers = { "Idempotency-Key": "k" };
  const first = await call("POST", JOBS, body, { headers });
  jobs.jobTypes.get = () => undefined;
  const again = await call("POST", JOBS, body, { headers });
  assertEquals([first.status, again.status], [201, 200]);
  assertEquals((await again.json()).id, (await first.json()).id);
  await problemIn(await call("POST", JOBS, body, { headers: { "Idempotency-Key": "new" } }), 422);
  await problemIn(await call("POST", JOBS, body), 422);
});

Deno.test("POST /background-jobs refuses an Idempotency-Key that is empty or over 255 characters", async () => {
  const { jobs, call } = testApp();
  for (const key of ["", "k".repeat(256)]) {
    await problemIn(
      await call("POST", JOBS, { job_type: "anything" }, { headers: { "Idempotency-Key": key } }),
      422,
    );
  }
  assertEquals(jobs.received, []);
});

Deno.test("POST /background-jobs takes no parameters and needs the scope jobs:write", async () => {
  const { call } = testApp();
  const query = await problemIn(await call("POST", `${JOBS}?dry=1`, { job_type: "anything" }), 422);
  assertEquals(query.errors, [{ parameter: "dry", message: "unknown parameter 'dry'" }]);
  const scope = await call("POST", JOBS, { job_type: "anything" }, { token: READER });
  assertMatch(scope.headers.get("WWW-Authenticate") ?? "", /scope="jobs:write"/);
  assertEquals((await problemIn(scope, 403)).detail, "This token lacks the scope jobs:write");
});

Deno.test("bodies that come in the same turn of the event loop are all read before a job is created", async () => {
  const { jobs, call } = testApp();
  const created: number[] = [];
  // Each byte by itself takes a few steps more than a body in one piece.
  const bytes = new TextEncoder().encode(JSON.stringify({ job_type: "anything" })).values();
  const slow = new ReadableStream({
    pull: (controller) => {
      created.push(jobs.received.length);
      const { value, done } = bytes.next();
      if (done) controller.close();
      else controller.enqueue(Uint8Array.of(value));
    },
  });

  const answers = [call("POST", JOBS, slow), call("POST", JOBS, { job_type: "anything" })];
  assertEquals((await Promise.all(answers)).map(({ status }) => status), [201, 201]);
  assertEquals(created, Array(created.length).fill(0));
  assertEquals(jobs.received.map(({ name }) => name), ["create", "create"]);
});
