import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { VersionMismatchError } from "../../src/actors/errors.ts";
import {
  EventTooLargeError,
  ExpectedVersionConflictError,
  LogFencedError,
  LogUnavailableError,
  StoreUnreadableError,
  UnknownOutcomeError,
} from "../../src/events/errors.ts";
import { ADMIN, JOBS, problemIn, READER, testApp } from "./support/test_app.ts";

Deno.test("/healthz and /readyz answer without a token", async () => {
  const { jobs, call } = testApp();
  const health = await call("GET", "/healthz", undefined, { token: null });
  assertEquals([health.status, await health.json()], [200, { status: "ok" }]);
  const ready = await call("GET", "/readyz?probe=1", undefined, { token: null });
  assertEquals([ready.status, await ready.json()], [200, { status: "ready" }]);

  jobs.notReady = "the log is being recovered";
  const waiting = await call("GET", "/readyz", undefined, { token: null });
  assertEquals(waiting.headers.get("Retry-After"), "5");
  assertEquals(
    (await problemIn(waiting, 503)).detail,
    "No write would be acknowledged now: the log is being recovered",
  );
});

Deno.test("without a valid token every other path answers 401, whether there is anything or not", async () => {
  const { jobs, call } = testApp();
  for (const path of [JOBS, `${JOBS}/x`, "/api/system/stats", "/", "/nowhere", "/healthz/", "//healthz"]) {
    const response = await call("GET", path, undefined, { token: null });
    assertEquals(response.headers.get("WWW-Authenticate"), 'Bearer realm="daybook"');
    await problemIn(response, 401);
  }
  const wrong = ["dbk_wrong", "", "__proto__", `${ADMIN}x`, `${ADMIN} ${ADMIN}`];
  for (const header of [...wrong.map((token) => `Bearer ${token}`), ADMIN, `Basic ${ADMIN}`, "Bearer"]) {
    const response = await call("POST", JOBS, { job_type: "anything" }, {
      headers: { Authorization: header },
    });
    assertMatch(
      response.headers.get("WWW-Authenticate") ?? "",
      /^Bearer realm="daybook", error="invalid_token"$/,
    );
    const { detail } = await problemIn(response, 401);
    assert(!detail.includes("dbk_"));
  }
  assertEquals(jobs.received, []);
  const lower = await call("GET", JOBS, undefined, { headers: { Authorization: `bearer  ${ADMIN}` } });
  assertEquals(lower.status, 200);
});

Deno.test("a token without the route's scope gets 403, and 404 or 405 where there is no route", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const asReader = { token: READER };
  for (
    const [method, path] of [
      ["POST", JOBS],
      ["PATCH", `${JOBS}/${id}`],
      ["DELETE", `${JOBS}/${id}`],
      ["POST", `${JOBS}/${id}/cancel`],
      ["POST", `${JOBS}/${id}/retry`],
    ] as const
  ) {
    const problem = await problemIn(await call(method, path, undefined, asReader), 403);
    assertStringIncludes(problem.detail, "jobs:write");
  }
  for (const path of [JOBS, `${JOBS}/${id}`, `${JOBS}/${id}/events`, "/api/system/stats"]) {
    assertEquals((await call("GET", path, undefined, asReader)).status, 200);
  }
  await problemIn(await call("DELETE", `${JOBS}/new`, undefined, asReader), 404);
  await problemIn(await call("PUT", JOBS, undefined, asReader), 405);
});

Deno.test("paths that nobody has asked for yet answer 404", async () => {
  const { call } = testApp();
  const paths = [
    "/",
    "/metrics",
    "/api",
    "/api/system",
    "/api/system/",
    "/api/system/events",
    "/api/system/docs",
    "/api/system/openapi.json",
    `${JOBS}/`,
    `${JOBS}/new`,
    `${JOBS}//cancel`,
  ];
  for (const room of ["queues", "schedules", "flows", "triggers", "tokens", "webhooks", "workers", "audit"]) {
    paths.push(`/api/system/${room}`);
  }
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "OPTIONS"]) await problemIn(await call(method, path), 404);
  }
});

Deno.test("a method that a path has not answers 405 and Allow names those that it has", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const allowed: [string, string, string][] = [
    ["PUT", JOBS, "POST, GET, HEAD"],
    ["DELETE", JOBS, "POST, GET, HEAD"],
    ["OPTIONS", `${JOBS}/${id}`, "GET, PATCH, DELETE, HEAD"],
    ["POST", `${JOBS}/${id}`, "GET, PATCH, DELETE, HEAD"],
    ["GET", `${JOBS}/${id}/cancel`, "POST"],
    ["HEAD", `${JOBS}/${id}/retry`, "POST"],
    ["POST", `${JOBS}/${id}/events`, "GET, HEAD"],
    ["POST", "/api/system/stats", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
  ];
  for (const [method, path, allow] of allowed) {
    const response = await call(method, path);
    assertEquals([response.status, response.headers.get("Allow")], [405, allow], `${method} ${path}`);
  }
});

Deno.test("routes without parameters refuse any", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const routes = [
    ["POST", JOBS, { job_type: "anything" }],
    ["POST", `${JOBS}/batch`, { jobs: [{ job_type: "anything" }] }],
    ["POST", `${JOBS}/bulk`, { action: "cancel", filter: {} }],
    ["PATCH", `${JOBS}/${id}`, { max_retries: 1 }],
    ["POST", `${JOBS}/${id}/cancel`, {}],
    ["POST", `${JOBS}/${id}/retry`, {}],
    ["DELETE", `${JOBS}/${id}`, undefined],
    ["GET", "/api/system/stats", undefined],
  ] as const;
  for (const [method, path, body] of routes) {
    const { errors } = await problemIn(await call(method, `${path}?x=1`, body), 422);
    assertEquals(errors, [{ parameter: "x", message: "unknown parameter 'x'" }], `${method} ${path}`);
  }
  assertEquals(jobs.received, []);
});

Deno.test("every reply has an id, the caller's own where it fits, and is neither cached nor sniffed", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const paths = ["/healthz", "/nowhere", JOBS, `${JOBS}/${id}`, `${JOBS}?x`];
  for (const path of paths) {
    const { headers } = await call("GET", path, undefined, { headers: { "X-Request-Id": "a.B-c_1" } });
    assertEquals(headers.get("X-Request-Id"), "a.B-c_1");
    assertEquals(headers.get("Cache-Control"), "no-store");
    assertEquals(headers.get("X-Content-Type-Options"), "nosniff");
  }
  for (const given of ["", "a b", "x".repeat(129), '"'] as const) {
    const { headers } = await call("GET", JOBS, undefined, { headers: { "X-Request-Id": given } });
    assertMatch(headers.get("X-Request-Id") ?? "", /^request-\d+$/);
  }
  await call("POST", `${JOBS}/${id}/cancel`, {}, { headers: { "X-Request-Id": "of-the-caller" } });
  assertEquals((jobs.last("cancel")?.[1] as { request_id: string }).request_id, "of-the-caller");
});

Deno.test("a request that brings no id gets a UUID unless the app is told how to make one", async () => {
  const { app } = testApp();
  const first = (await app.request("/healthz")).headers.get("X-Request-Id");
  assertEquals(first, "request-1");
  const { createApp } = await import("../../src/api/app.ts");
  const { jobs } = testApp();
  const plain = createApp({
    jobs,
    tokens: { verify: () => undefined },
    backoffDefault: { base_seconds: 1, factor: 1, max_seconds: 1, jitter: 0 },
  });
  const ids = await Promise.all([plain.request("/healthz"), plain.request("/healthz")]);
  const [one, other] = ids.map(({ headers }) => headers.get("X-Request-Id") ?? "");
  assertMatch(one ?? "", /^[0-9a-f-]{36}$/);
  assertNotEquals(one, other);
});

Deno.test("a log that takes no writes is a 503 with Retry-After that says whether it was written", async () => {
  const { jobs, logged, call } = testApp();
  const create = () => call("POST", JOBS, { job_type: "anything" }, { headers: { "Idempotency-Key": "k" } });
  const lost: [unknown, string][] = [
    [
      new LogUnavailableError("disk is full"),
      "The log cannot take the write: disk is full. Nothing was written",
    ],
    [
      new LogFencedError("l", 1, 2),
      "This process has lost log l: it holds epoch 1, the log is at epoch 2, which another process has opened. Stop this one. Nothing was written",
    ],
    [
      new ExpectedVersionConflictError("job/1", 1, 2),
      'Cannot append to stream "job/1": expected version 1, current version is 2. Nothing was written',
    ],
    [
      new UnknownOutcomeError(Promise.resolve("lost"), "timeout"),
      "It is not known whether the write landed: timeout. Repeat the request with the same Idempotency-Key",
    ],
  ];
  for (const [failure, detail] of lost) {
    jobs.failure = failure;
    const response = await create();
    assertEquals(response.headers.get("Retry-After"), "5");
    assertEquals((await problemIn(response, 503)).detail, detail);
  }
  assertEquals((await create()).status, 201);
  assertEquals(logged, []);
});

Deno.test("a store that cannot be read is a 503 with Retry-After too", async () => {
  const { jobs, logged, call } = testApp();
  jobs.failure = new StoreUnreadableError(new Error("disk I/O error"));
  const response = await call("GET", JOBS);
  assertEquals(response.headers.get("Retry-After"), "5");
  assertEquals((await problemIn(response, 503)).detail, "The store could not be read: disk I/O error");
  assertEquals(logged, []);
});

Deno.test("what the rooms below refuse has the status of the contract", async () => {
  const { jobs, call } = testApp();
  const refusals: [unknown, number][] = [
    [new VersionMismatchError("x", 1, 2), 412],
    [new EventTooLargeError("job/1", "job.created", 70_000, 61_440), 413],
  ];
  for (const [failure, status] of refusals) {
    jobs.failure = failure;
    await problemIn(await call("POST", JOBS, { job_type: "anything" }), status);
  }
});

Deno.test("a mistake of ours is a 500 that tells nothing of it, and is logged with the request's id", async () => {
  const { jobs, logged, call } = testApp();
  jobs.failure = new TypeError("password is hunter2");
  const problem = await problemIn(await call("GET", JOBS), 500);
  assertEquals(problem.detail, "The request failed inside Daybook; its log names request request-1");
  assertEquals(logged.length, 1);
  assertMatch(
    logged[0] ?? "",
    /^Request request-1 \(GET \/api\/system\/background-jobs\) failed: TypeError: password/,
  );
});
