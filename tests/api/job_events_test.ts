import { assert, assertEquals, assertMatch } from "@std/assert";
import type { EventEnvelope } from "../../src/events/event.ts";
import type { FakeJobs } from "./support/fake_jobs.ts";
import { ADMIN, JOBS, problemIn, testApp } from "./support/test_app.ts";

const STREAM = { Accept: "text/event-stream" };

/** A job with a history of `count` events. */
function jobWithEvents(jobs: FakeJobs, count: number) {
  let job = jobs.add();
  for (let version = 2; version <= count; version++) job = jobs.put(job, "job.progressed");
  return job;
}

/** Reads a stream's text bit by bit. */
function reading(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async until(part: string): Promise<string> {
      while (!text.includes(part)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`The stream ended without ${part}: ${text}`);
        text += value;
      }
      return text;
    },
    async toEnd(): Promise<string> {
      while (true) {
        const { value, done } = await reader.read();
        if (done) return text;
        text += value;
      }
    },
    leave: () => reader.cancel(),
  };
}

Deno.test("a job's events are its whole envelopes, oldest first, 100 a page", async () => {
  const { jobs, call } = testApp();
  const { id } = jobWithEvents(jobs, 101);
  const response = await call("GET", `${JOBS}/${id}/events`);
  assertEquals([response.status, response.headers.get("Content-Type")], [200, "application/json"]);
  assertEquals(await response.json(), jobs.events.get(id)?.slice(0, 100));
  assertEquals(response.headers.get("Link"), `<${JOBS}/${id}/events?after=100>; rel="next"`);
});

Deno.test("a job's events are paged by after and limit, and Link leads to the last of them", async () => {
  const { jobs, app, call } = testApp();
  const { id } = jobWithEvents(jobs, 6);
  const seen: number[] = [];
  let response = await call("GET", `${JOBS}/${id}/events?after=1&limit=2`);
  while (true) {
    seen.push(...(await response.json() as EventEnvelope[]).map(({ version }) => version));
    const target = /^<(.*)>; rel="next"$/.exec(response.headers.get("Link") ?? "")?.[1];
    if (target === undefined) break;
    response = await app.request(target, { headers: { Authorization: `Bearer ${ADMIN}` } });
  }
  assertEquals(seen, [2, 3, 4, 5, 6]);
  assertEquals(await (await call("GET", `${JOBS}/${id}/events?after=6`)).json(), []);
  for (const query of ["after=-1", "after=x", "after=1.5", "limit=501", "cursor=1", "after=1&after=1"]) {
    await problemIn(await call("GET", `${JOBS}/${id}/events?${query}`), 422);
  }
});

Deno.test("as an event stream a job's history has its versions as ids, and goes on with what happens next", async () => {
  const { jobs, call } = testApp();
  const job = jobWithEvents(jobs, 2);
  const response = await call("GET", `${JOBS}/${job.id}/events`, undefined, { headers: STREAM });
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("Content-Type") ?? "", /^text\/event-stream/);
  assertEquals(response.headers.get("X-Request-Id"), "request-1");
  const stream = reading(response);
  await stream.until("id: 2\n");
  jobs.put(job, "job.started");
  const text = await stream.until("id: 3\n\n");
  const data = text.split("\n").filter((line) => line.startsWith("data: ")).map((line) =>
    JSON.parse(line.slice(6))
  );
  assertEquals(data, jobs.events.get(job.id));
  await stream.leave();
  while (jobs.open > 0) await Promise.resolve();
});

Deno.test("an event stream goes on behind Last-Event-ID, or else behind after", async () => {
  const { jobs, call } = testApp();
  const { id } = jobWithEvents(jobs, 5);
  const cases: [string, Record<string, string>, number][] = [
    ["", { "Last-Event-ID": "3" }, 3],
    ["?after=1", { "Last-Event-ID": "4" }, 4],
    ["?after=2", {}, 2],
    ["", { "Last-Event-ID": "" }, 0],
  ];
  for (const [query, headers, after] of cases) {
    const response = await call("GET", `${JOBS}/${id}/events${query}`, undefined, {
      headers: { ...STREAM, ...headers },
    });
    const stream = reading(response);
    const text = await stream.until("id: 5\n");
    assertEquals(/id: (\d+)/.exec(text)?.[1], String(after + 1));
    assertEquals(jobs.last("follow"), [id, after]);
    await stream.leave();
  }
  for (const value of ["abc", "-1", "1 OR 1", "9".repeat(16)]) {
    await problemIn(
      await call("GET", `${JOBS}/${id}/events`, undefined, {
        headers: { ...STREAM, "Last-Event-ID": value },
      }),
      422,
    );
  }
  await problemIn(await call("GET", `${JOBS}/${id}/events?limit=1`, undefined, { headers: STREAM }), 422);
});

Deno.test("a caller that prefers JSON, or says nothing, gets JSON", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  for (
    const Accept of ["*/*", "application/json, text/event-stream;q=0.5", "text/html", "garbage;;q=x,,", ""]
  ) {
    const response = await call("GET", `${JOBS}/${id}/events`, undefined, { headers: { Accept } });
    assertEquals(response.headers.get("Content-Type"), "application/json", Accept);
    await response.body?.cancel();
  }
});

Deno.test("HEAD of an event stream answers its headers and opens nothing", async () => {
  const { jobs, call } = testApp();
  const response = await call("HEAD", `${JOBS}/${jobs.add().id}/events`, undefined, { headers: STREAM });
  assertEquals([response.status, await response.text()], [200, ""]);
  assertMatch(response.headers.get("Content-Type") ?? "", /^text\/event-stream/);
  assertEquals(jobs.open, 0);
});

Deno.test("an idle event stream is kept open by comments", async () => {
  const { jobs, call } = testApp({ keepAliveMs: 1 });
  const { id } = jobs.add();
  const stream = reading(await call("GET", `${JOBS}/${id}/events`, undefined, { headers: STREAM }));
  await stream.until(": keep-alive\n\n: keep-alive\n\n");
  await stream.leave();
});

Deno.test("event streams end when the server stops", async () => {
  const stopping = new AbortController();
  const { jobs, logged, call } = testApp({ stopping: stopping.signal });
  const { id } = jobs.add();
  const stream = reading(await call("GET", `${JOBS}/${id}/events`, undefined, { headers: STREAM }));
  await stream.until("id: 1\n");
  stopping.abort();
  await stream.toEnd();
  assertEquals(jobs.open, 0);
  const late = await call("GET", `${JOBS}/${id}/events`, undefined, { headers: STREAM });
  assert(!(await late.text()).includes("data:"));
  assertEquals(logged, []);
});

Deno.test("an event stream that breaks ends, and the log says why", async () => {
  const { jobs, logged, call } = testApp();
  const job = jobs.add();
  const stream = reading(await call("GET", `${JOBS}/${job.id}/events`, undefined, { headers: STREAM }));
  await stream.until("id: 1\n");
  jobs.failure = new RangeError("gone");
  jobs.put(job);
  await stream.toEnd();
  assertEquals(logged.length, 1);
  assertMatch(logged[0] ?? "", /^Request request-1 \(GET .*\/events\) failed: RangeError: gone/);
});

Deno.test("ids of a restored log tell its events from those that bore the same versions before", async () => {
  const { jobs, call } = testApp();
  const { id } = jobs.add();
  const job = jobs.stored.get(id)!;
  jobs.put(job);
  jobs.logIds = [...jobs.logIds, "0190a8c0-0000-7000-8000-000000000001"];
  jobs.put(job);
  jobs.put(job);
  const versions = jobs.events.get(id)!.map(({ version }) => version);
  assertEquals(versions, [1, 2, 3, 4].slice(0, versions.length));
  const common = String(versions.length - 2);
  const follow = (lastEventId: string) =>
    call("GET", `${JOBS}/${id}/events`, undefined, {
      headers: { Accept: "text/event-stream", "Last-Event-ID": lastEventId },
    });
  const newest = versions.at(-1)!;
  for (
    const gone of [
      `${newest}`,
      `${newest - 1}`,
      `${newest + 7}`,
      `${newest + 7}.1`,
      `${newest}.2`,
      `${common}.1`,
    ]
  ) {
    const response = await follow(gone);
    assertEquals(response.status, 410, gone);
    const { last_event_id } = await response.json();
    assertEquals(
      last_event_id,
      gone.includes(".") && !gone.startsWith(common) ? `${newest}.1` : common,
      gone,
    );
  }
  for (const there of [common, `${newest}.1`, `${newest - 1}.1`, "0"]) {
    const response = await follow(there);
    assertEquals(response.status, 200, there);
    await response.body?.cancel();
  }
  for (const nonsense of ["1.0", "1.", ".1", "x", "-1"]) {
    assertEquals((await follow(nonsense)).status, 422, nonsense);
  }
});
