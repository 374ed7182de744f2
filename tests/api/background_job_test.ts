import { assertEquals, assertMatch } from "@std/assert";
import { jobIn, JOBS, problemIn, READER, testApp } from "./support/test_app.ts";

const NOBODY = `${JOBS}/0190a8c0-0000-7000-8000-ffffffffffff`;

Deno.test("GET /background-jobs/{id} answers the job and its version as ETag", async () => {
  const { jobs, call } = testApp();
  const job = jobs.put(jobs.add());
  const response = await call("GET", `${JOBS}/${job.id}`, undefined, { token: READER });
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("ETag"), '"2"');
  assertEquals(await jobIn(response), job);
});

Deno.test("HEAD answers as GET does, without a body", async () => {
  const { jobs, call } = testApp();
  const response = await call("HEAD", `${JOBS}/${jobs.add().id}`);
  assertEquals([response.status, response.headers.get("ETag"), await response.text()], [200, '"1"', ""]);
});

Deno.test("every call on a job that there is not answers 404", async () => {
  const { call } = testApp();
  const headers = { "If-Match": '"1", "2"' };
  for (const method of ["GET", "PATCH", "DELETE"]) {
    const body = method === "PATCH" ? { priority: "low" } : undefined;
    const problem = await problemIn(await call(method, NOBODY, body), 404);
    assertEquals(problem.detail, "There is no job 0190a8c0-0000-7000-8000-ffffffffffff");
    await problemIn(await call(method, NOBODY, body, { headers }), 404);
  }
  await problemIn(await call("PATCH", NOBODY, { payload: {} }), 404);
  await problemIn(await call("POST", `${NOBODY}/cancel`), 404);
  await problemIn(await call("POST", `${NOBODY}/retry`), 404);
  await problemIn(await call("GET", `${NOBODY}/events`), 404);
  await problemIn(
    await call("GET", `${NOBODY}/events`, undefined, { headers: { Accept: "text/event-stream" } }),
    404,
  );
  await problemIn(await call("GET", `${NOBODY}?wait=1`), 404);
});

Deno.test("what has not the form of an id leads nowhere, whatever the method", async () => {
  const { jobs, call } = testApp();
  const upper = "0190A8C0-0000-7000-8000-FFFFFFFFFFFF";
  for (const id of ["new", "1", upper, "%ff", "..%2f", "x".repeat(5000), "%00", "constructor"]) {
    for (const method of ["GET", "POST", "PATCH", "DELETE", "PUT"]) {
      await problemIn(await call(method, `${JOBS}/${id}`, method === "PATCH" ? {} : undefined), 404);
    }
    await problemIn(await call("POST", `${JOBS}/${id}/cancel`), 404);
    await problemIn(await call("GET", `${JOBS}/${id}/events`), 404);
  }
  assertEquals(jobs.received, []);
});

Deno.test("GET ?wait answers as soon as the job is final", async () => {
  const { jobs, call } = testApp();
  const job = jobs.add("processing");
  const waiting = call("GET", `${JOBS}/${job.id}?wait=60`);
  while (jobs.open === 0) await Promise.resolve();
  assertEquals(jobs.last("waitUntilFinal"), [job.id, 60_000]);
  jobs.put({ ...job, status: "completed" });
  assertEquals((await jobIn(await waiting)).status, "completed");
});

Deno.test("GET ?wait takes decimals up to 60 seconds, and 0 as no wait", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add("completed");
  await call("GET", `${JOBS}/${id}?wait=0`);
  assertEquals(jobs.received, []);
  await call("GET", `${JOBS}/${id}?wait=2.5`);
  assertEquals(jobs.last("waitUntilFinal"), [id, 2500]);
  for (const wait of ["61", "60.1", "-1", "NaN", "1e1", "", "%20"]) {
    const problem = await problemIn(await call("GET", `${JOBS}/${id}?wait=${wait}`), 422);
    assertEquals(problem.detail, "parameter 'wait' must be a number of seconds from 0 to 60");
  }
});

Deno.test("GET ?wait ends when the server stops, with the job as it is, and when the caller goes", async () => {
  const stopping = new AbortController();
  const { jobs, call } = testApp({ stopping: stopping.signal });
  const job = jobs.add("processing");
  const waiting = call("GET", `${JOBS}/${job.id}?wait=60`);
  const leaving = new AbortController();
  const left = call("GET", `${JOBS}/${job.id}?wait=60`, undefined, { signal: leaving.signal });
  while (jobs.open < 2) await Promise.resolve();
  leaving.abort();
  await left;
  assertEquals(jobs.open, 1);
  stopping.abort();
  assertEquals((await jobIn(await waiting)).status, "processing");
  assertEquals(jobs.open, 0);
});

Deno.test("GET ?at asks for the job as of that moment, for which nobody can wait", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const answer = await call("GET", `${JOBS}/${id}?at=2026-01-07T10:15:32Z`);
  assertEquals((await jobIn(answer)).id, id);
  assertEquals(jobs.received.at(-1), { name: "asOf.get", args: [id, Date.parse("2026-01-07T10:15:32Z")] });
  const { errors } = await problemIn(await call("GET", `${JOBS}/${id}?at=2026-01-07T10:15:32Z&wait=3`), 422);
  assertEquals(errors, [{
    parameter: "wait",
    message: "what was at a moment in the past cannot be waited for",
  }]);
});

Deno.test("PATCH hands on what is to change and answers the changed job", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const changes = {
    priority: "high",
    payload: { a: 1 },
    scheduled_at: "2030-01-01T00:00:00Z",
    max_retries: 25,
    timeout_seconds: 86_400,
    tags: [],
    queue: "q",
  };
  const response = await call("PATCH", `${JOBS}/${id}`, changes, {
    headers: { "Content-Type": "application/merge-patch+json" },
  });
  assertEquals([response.status, response.headers.get("ETag")], [200, '"2"']);
  assertEquals((await jobIn(response)).priority, "high");
  assertEquals(jobs.last("update"), [
    id,
    { ...changes, scheduled_at: "2030-01-01T00:00:00.000Z" },
    { actor: "admin", request_id: "request-1", causation_id: null, reason: null },
    undefined,
  ]);
});

Deno.test("PATCH takes a scheduled_at of null for at once, and leaves what is not named alone", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  await call("PATCH", `${JOBS}/${id}`, { scheduled_at: null });
  assertEquals(jobs.last("update")?.[1], { scheduled_at: null });
});

Deno.test("PATCH fills a part of backoff up from the job, not from the default", async () => {
  const { jobs, call } = testApp();
  const job = jobs.add();
  await call("PATCH", `${JOBS}/${job.id}`, { backoff: { base_seconds: 1 } });
  assertEquals(jobs.last("update")?.[1], { backoff: { ...job.backoff, base_seconds: 1 } });
});

Deno.test("PATCH refuses an empty change, unknown fields, and null where a value belongs", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const refused: [unknown, string, string][] = [
    [{}, "", "the body must name at least one field to change"],
    [{ job_type: "anything" }, "/job_type", "unknown field 'job_type'"],
    [{ status: "completed" }, "/status", "unknown field 'status'"],
    [{ tags: null }, "/tags", "field 'tags' must be an array"],
    [{ payload: null }, "/payload", "field 'payload' must be a JSON object"],
  ];
  for (const [body, pointer, message] of refused) {
    const problem = await problemIn(await call("PATCH", `${JOBS}/${id}`, body), 422);
    assertEquals(problem.errors, [{ pointer, message }]);
  }
  assertEquals(jobs.received, []);
});

Deno.test("PATCH checks a new payload by the job's type", async () => {
  const { jobs, call } = testApp();
  const email = jobs.add("queued", { job_type: "email_send" });
  const misfit = await problemIn(
    await call("PATCH", `${JOBS}/${email.id}`, { payload: { to: "a@b.example" } }),
    422,
  );
  assertEquals(misfit.errors, [{
    pointer: "/payload/subject",
    message: "required field 'subject' missing from payload",
  }]);
  const orphan = jobs.add("queued", { job_type: "gone" });
  const unknown = await problemIn(await call("PATCH", `${JOBS}/${orphan.id}`, { payload: {} }), 422);
  assertEquals(unknown.errors, [{ pointer: "/payload", message: "Unknown job type: 'gone'" }]);
  await problemIn(
    await call("PATCH", `${JOBS}/${email.id}`, { payload: { to: "x".repeat(50_000) } }),
    413,
  );
});

Deno.test("PATCH of a job that is not queued answers 409 and names its status", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add("processing");
  const problem = await problemIn(await call("PATCH", `${JOBS}/${id}`, { priority: "low" }), 409);
  assertEquals(problem.detail, `Cannot update job ${id}: it is processing`);
  assertEquals(problem.title, "Conflict");
});

Deno.test("DELETE answers 204 with no body for a final job, 409 for another", async () => {
  const { jobs, call } = testApp();
  const final = jobs.add("completed");
  const response = await call("DELETE", `${JOBS}/${final.id}`);
  assertEquals([response.status, await response.text(), response.headers.get("Content-Type")], [
    204,
    "",
    null,
  ]);
  await problemIn(await call("GET", `${JOBS}/${final.id}`), 404);
  await problemIn(await call("DELETE", `${JOBS}/${jobs.add("queued").id}`), 409);
  await problemIn(await call("DELETE", `${JOBS}/${jobs.add("failed").id}`, { force: true }), 422);
});

Deno.test("cancel answers 200 when the job is cancelled, 202 while its handler has not let go", async () => {
  const { jobs, call } = testApp();
  const queued = jobs.add();
  const done = await call("POST", `${JOBS}/${queued.id}/cancel`, { reason: "no longer needed" });
  assertEquals(done.status, 200);
  assertEquals((await jobIn(done)).cancel_reason, "no longer needed");
  assertEquals(jobs.last("cancel")?.[1], {
    actor: "admin",
    request_id: "request-1",
    causation_id: null,
    reason: "no longer needed",
  });
  assertEquals((await call("POST", `${JOBS}/${queued.id}/cancel`)).status, 200);

  const running = jobs.add("processing");
  const pending = await call("POST", `${JOBS}/${running.id}/cancel`);
  assertEquals([pending.status, pending.headers.get("ETag")], [202, '"2"']);
  assertEquals((await call("POST", `${JOBS}/${running.id}/cancel`, {})).status, 202);
  await problemIn(await call("POST", `${JOBS}/${jobs.add("failed").id}/cancel`), 409);
});

Deno.test("cancel takes a reason of at most 1 KiB, or no body at all", async () => {
  const { jobs, call } = testApp();
  const path = `${JOBS}/${jobs.add().id}/cancel`;
  for (const reason of ["", "€".repeat(342), 5, null]) {
    await problemIn(await call("POST", path, { reason }), 422);
  }
  assertEquals((await call("POST", path, { reason: "€".repeat(341) })).status, 200);
  assertEquals((await call("POST", path, "", { headers: { "Content-Type": "text/plain" } })).status, 200);
  await problemIn(await call("POST", path, "x", { headers: { "Content-Type": "text/plain" } }), 415);
  await problemIn(await call("POST", path, "x"), 400);
  await problemIn(await call("POST", path, { why: "x" }), 422);
});

Deno.test("retry answers 200 for a failed or cancelled job, 409 for another, and takes no fields", async () => {
  const { jobs, call } = testApp();
  for (const status of ["failed", "cancelled"] as const) {
    const response = await call("POST", `${JOBS}/${jobs.add(status).id}/retry`);
    assertEquals([response.status, (await jobIn(response)).status], [200, "queued"]);
  }
  const { id } = jobs.add("completed");
  assertMatch(
    (await problemIn(await call("POST", `${JOBS}/${id}/retry`, {}), 409)).detail,
    /it is completed/,
  );
  await problemIn(await call("POST", `${JOBS}/${id}/retry`, { at: 1 }), 422);
});

Deno.test("If-Match with the job's version lets a command through, with another answers 412", async () => {
  const { jobs, call } = testApp();
  const job = jobs.put(jobs.add("failed"));
  const withTag = (tag: string) => ({ headers: { "If-Match": tag } });
  const path = `${JOBS}/${job.id}`;
  for (const tag of ['"1"', 'W/"2"', '"x"', "2", '"1", "3"', '"2', '"2" "', "", '"002"']) {
    const problem = await problemIn(await call("POST", `${path}/retry`, undefined, withTag(tag)), 412);
    assertMatch(problem.detail, /version 2/);
  }
  for (
    const [method, rest, body] of [["PATCH", "", { priority: "low" }], ["DELETE", ""], ["POST", "/cancel"]]
  ) {
    await problemIn(await call(method as string, `${path}${rest}`, body, withTag('"1"')), 412);
  }
  assertEquals(jobs.last("delete")?.[2], 1);
  assertEquals((await call("POST", `${path}/retry`, undefined, withTag('"1", W/"5" ,"2"'))).status, 200);
  assertEquals(jobs.last("retry")?.[2], 2);
  assertEquals((await call("PATCH", path, { priority: "low" }, withTag('"3"'))).status, 200);
  assertEquals((await call("POST", `${path}/cancel`, undefined, withTag("*"))).status, 200);
  assertEquals(jobs.last("cancel")?.[2], undefined);
});
