import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { createClient, DaybookError, type TypedJob } from "../../src/api/client.ts";
import type { FakeJobs } from "./support/fake_jobs.ts";
import { ADMIN, testApp } from "./support/test_app.ts";

function testClient(token = ADMIN) {
  const { app, jobs } = testApp();
  const sent: Request[] = [];
  const client = createClient({
    url: "http://daybook.test/",
    token,
    fetch: (input, init) => {
      const request = new Request(input, init);
      sent.push(request.clone());
      return app.request(request);
    },
  });
  return { client, jobs, sent };
}

/** A client whose every call gets that reply. */
function clientOf(reply: () => Response | Promise<Response>) {
  return createClient({ url: "http://daybook.test", token: ADMIN, fetch: reply });
}

Deno.test("createBackgroundJob() creates a job whose payload and result have the types of its job type", async () => {
  const { client, jobs } = testClient();
  const job = await client.createBackgroundJob({
    job_type: "email_send",
    payload: { to: "ada@example.com", subject: "Hi" },
    priority: "high",
    backoff: { factor: 1 },
  });
  const subject: string = job.payload.subject;
  const transport: "smtp" | "outbox" | undefined = job.result?.transport;
  assertEquals([subject, transport, job.priority], ["Hi", undefined, "high"]);
  assertEquals(jobs.stored.get(job.id)?.backoff.factor, 1);

  const other = await client.createBackgroundJob({ job_type: "anything" });
  const payload: { [key: string]: unknown } = other.payload;
  assertEquals(payload, {});
});

Deno.test("createBackgroundJob() sends the idempotency key that is given, and then makes one job", async () => {
  const { client, jobs } = testClient();
  const create = () => client.createBackgroundJob({ job_type: "anything" }, { idempotencyKey: "once" });
  assertEquals((await create()).id, (await create()).id);
  assertEquals(jobs.stored.size, 1);
});

Deno.test("createMany() creates jobs of many types at once, each result of the type of its job", async () => {
  const { client, jobs, sent } = testClient();
  const [mail, other] = await client.createMany([
    { job_type: "email_send", payload: { to: "ada@example.com", subject: "Hi" } },
    { job_type: "anything", tags: ["a"] },
  ], { atomic: true, idempotencyKey: "many" });
  const subject: string | undefined = mail.job?.payload.subject;
  assertEquals([subject, other.job?.tags, jobs.stored.size], ["Hi", ["a"], 2]);
  assertEquals((await sent[0]!.json()).atomic, true);
  assertEquals(sent[0]!.headers.get("Idempotency-Key"), "many");

  const wishes = ["anything", "unknown"].map((job_type) => ({ job_type }));
  const results = await client.createMany(wishes);
  assertEquals(results.map(({ job, error }) => job?.status ?? error?.detail), [
    "queued",
    "Unknown job type: 'unknown'",
  ]);
});

Deno.test("getBackgroundJobs() takes nothing, a status or a filter, and next leads to the next page", async () => {
  const { client, jobs } = testClient();
  for (let index = 0; index < 3; index++) jobs.add("failed");
  jobs.add("queued");
  assertEquals((await client.getBackgroundJobs()).length, 4);
  assertEquals((await client.getBackgroundJobs("queued")).map(({ status }) => status), ["queued"]);

  const first = await client.getBackgroundJobs({ status: "failed", limit: 2 });
  assertEquals(first.length, 2);
  assert(first.next !== undefined);
  const second = await client.getBackgroundJobs({ status: "failed", limit: 2, cursor: first.next });
  assertEquals([second.length, second.next], [1, undefined]);
  assertEquals([...first, ...second].map(({ id }) => id), [...jobs.stored.keys()].slice(0, 3).reverse());
});

Deno.test("the client reads, changes, cancels, retries and deletes a job, at a version where one is given", async () => {
  const { client, jobs } = testClient();
  const { id } = await client.createBackgroundJob({ job_type: "anything" });
  assertEquals((await client.getBackgroundJob(id)).id, id);
  assertEquals((await client.updateBackgroundJob(id, { tags: ["a"] }, { ifMatch: 1 })).tags, ["a"]);
  const stale = await assertRejects(
    () => client.updateBackgroundJob(id, { tags: [] }, { ifMatch: 1 }),
    DaybookError,
  );
  assertEquals(stale.status, 412);
  assertEquals((await client.cancelBackgroundJob(id, { reason: "enough" })).cancel_reason, "enough");
  assertEquals((await client.cancelBackgroundJob(id)).status, "cancelled");
  assertEquals((await client.retryBackgroundJob(id, { ifMatch: 3 })).status, "queued");
  await client.cancelBackgroundJob(id, { ifMatch: 4 });
  assertEquals(await client.deleteBackgroundJob(id, { ifMatch: 5 }), undefined);
  assertEquals(jobs.stored.size, 0);
  assertEquals((await client.getStats()).total, 0);
});

Deno.test("the client's functions can be taken out of it", async () => {
  const { createBackgroundJob, getBackgroundJob } = testClient().client;
  const { id } = await createBackgroundJob({ job_type: "anything" });
  assertEquals((await getBackgroundJob(id)).id, id);
});

Deno.test("getBackgroundJobEvents() reads a history page by page", async () => {
  const { client, jobs } = testClient();
  const job = jobs.put(jobs.put(jobs.add()));
  const first = await client.getBackgroundJobEvents(job.id, { limit: 2 });
  assertEquals([first.map(({ version }) => version), first.next], [[1, 2], 2]);
  const second = await client.getBackgroundJobEvents(job.id, { after: first.next ?? 0 });
  assertEquals([second.map(({ version }) => version), second.next], [[3], undefined]);
});

Deno.test("waitForBackgroundJob() answers the job once it is final, however many requests that takes", async () => {
  const { client, jobs, sent } = testClient();
  const job = jobs.add("processing");
  let asked = 0;
  jobs.queries.waitUntilFinal = (id) =>
    Promise.resolve(++asked < 3 ? jobs.stored.get(id) : finish(jobs, job.id));
  const done = await client.waitForBackgroundJob<"email_send">(job.id);
  assertEquals([done.status, asked], ["completed", 3]);
  assertEquals(new URL(sent[0]!.url).search, "?wait=60.000");
});

Deno.test("waitForBackgroundJob() answers the job as it is when the time is over", async () => {
  const { client, jobs } = testClient();
  const { id } = jobs.add();
  assertEquals((await client.waitForBackgroundJob(id, { timeoutSeconds: 0 })).status, "queued");
});

function finish(jobs: FakeJobs, id: string) {
  return jobs.put({ ...jobs.stored.get(id)!, status: "completed" });
}

Deno.test("a refusal becomes a DaybookError that carries the whole problem", async () => {
  const { client, jobs } = testClient();
  const misfit = await assertRejects(
    // @ts-expect-error the payload lacks its recipient
    () => client.createBackgroundJob({ job_type: "email_send", payload: { subject: "Hi" } }),
    DaybookError,
    "required field 'to' missing from payload",
  );
  assertEquals([misfit.status, misfit.title], [422, "Unprocessable Content"]);
  assertEquals(misfit.errors, [{
    pointer: "/payload/to",
    message: "required field 'to' missing from payload",
  }]);
  assertEquals(misfit.retryAfter, undefined);

  const { LogUnavailableError } = await import("../../src/events/errors.ts");
  jobs.failure = new LogUnavailableError("disk is full");
  const away = await assertRejects(() => client.createBackgroundJob({ job_type: "anything" }), DaybookError);
  assertEquals([away.status, away.retryAfter, away.errors], [503, 5, []]);

  const stranger = testClient("wrong").client;
  assertEquals((await assertRejects(() => stranger.getStats(), DaybookError)).status, 401);
});

Deno.test("no reply at all is a DaybookError with status 0 and its cause, without the token", async () => {
  const client = clientOf(() => Promise.reject(new TypeError("connection refused")));
  const error = await assertRejects(() => client.getBackgroundJobs("failed"), DaybookError);
  assertEquals([error.status, error.title], [0, "No Reply"]);
  assertMatch(
    error.detail,
    /^GET http:\/\/daybook\.test\/api\/system\/background-jobs\?status=failed got no reply: connection/,
  );
  assertInstanceOf(error.cause, TypeError);
  assert(!error.message.includes(ADMIN));
});

Deno.test("a reply that is none of Daybook's is a DaybookError with its status", async () => {
  const proxy = clientOf(() =>
    new Response("<h1>Bad Gateway</h1>", { status: 502, headers: { "Retry-After": "30" } })
  );
  const error = await assertRejects(() => proxy.getStats(), DaybookError);
  assertEquals([error.status, error.retryAfter], [502, 30]);
  assertMatch(error.detail, /<h1>Bad Gateway/);

  const page = clientOf(() => new Response("<h1>Welcome</h1>"));
  assertEquals((await assertRejects(() => page.getStats(), DaybookError)).status, 200);
  for (const text of ["[1]", "null", '"x"', '{"errors":5,"detail":{}}']) {
    const odd = clientOf(() => new Response(text, { status: 400 }));
    assertEquals((await assertRejects(() => odd.getStats(), DaybookError)).status, 400);
  }
});

Deno.test("a caller's abort is passed on as it is", async () => {
  const client = clientOf(() => Promise.reject(new Error("must not matter")));
  const reason = new DOMException("enough", "AbortError");
  const aborting = createClient({
    url: "http://daybook.test",
    token: ADMIN,
    fetch: (_input, init) => Promise.reject(init.signal?.reason),
  });
  const error = await assertRejects(() => aborting.getStats({ signal: AbortSignal.abort(reason) }));
  assertEquals(error, reason);
  await assertRejects(() => client.getStats(), DaybookError);
});

Deno.test("the client keeps the path of its address and encodes ids", async () => {
  const urls: string[] = [];
  const client = createClient({
    url: new URL("https://example.com/daybook/"),
    token: ADMIN,
    fetch: (input) => {
      urls.push(input);
      return Response.json({});
    },
  });
  await client.getBackgroundJob("a/../b?c");
  assertEquals(urls, ["https://example.com/daybook/api/system/background-jobs/a%2F..%2Fb%3Fc"]);
});

Deno.test("a job that is read can be given the type that its reader knows", async () => {
  const { client, jobs } = testClient();
  const { id } = jobs.add("completed", { job_type: "cleanup", result: { records_deleted: 3 } });
  const job: TypedJob<"cleanup"> = await client.getBackgroundJob<"cleanup">(id);
  const deleted: number | undefined = job.result?.records_deleted;
  assertEquals(deleted, 3);
});
