import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JOBS, testApp } from "./support/test_app.ts";

const NAMES = [
  "job_type",
  "payload",
  "priority",
  "queue",
  "max_retries",
  "scheduled_at",
  "timeout_seconds",
  "backoff",
  "tags",
  "reason",
  "__proto__",
  "constructor",
  "unique",
];
const member = fc.oneof(
  fc.jsonValue({ noUnicodeString: false }),
  fc.constantFrom<unknown>(
    "anything",
    "email_send",
    "high",
    "default",
    null,
    5e-324,
    -0,
    1e21,
    "2026-01-07T10:15:32Z",
  ),
  fc.record({
    base_seconds: fc.double(),
    factor: fc.integer(),
    to: fc.string(),
    subject: fc.string({ unit: "binary" }),
  }),
  fc.array(fc.string({ unit: "binary", maxLength: 70 }), { maxLength: 22 }),
);
const mostlyFitting = fc.record({
  job_type: fc.constantFrom("anything", "email_send", "other"),
  payload: fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  priority: fc.constantFrom("low", "critical", "urgent"),
  max_retries: fc.integer({ min: -1, max: 26 }),
  scheduled_at: fc.oneof(
    fc.constant(null),
    fc.date({ noInvalidDate: false }).map(String),
    fc.constant("2026-01-07T10:15:32Z"),
  ),
  timeout_seconds: fc.double({ min: 0, max: 86_401 }),
  tags: fc.array(fc.string({ unit: "grapheme", maxLength: 3 }), { maxLength: 3 }),
}, { requiredKeys: [] });
const body = fc.oneof(
  { weight: 8, arbitrary: mostlyFitting.map((value) => JSON.stringify(value)) },
  {
    weight: 6,
    arbitrary: fc.dictionary(fc.constantFrom(...NAMES), member).map((value) => JSON.stringify(value)),
  },
  { weight: 2, arbitrary: fc.json({ noUnicodeString: false }) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), member).chain(damaged) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
);

/** The text with a few characters put in. */
function damaged(value: unknown): fc.Arbitrary<string> {
  const text = JSON.stringify(value);
  return fc.tuple(fc.nat(text.length), fc.string({ maxLength: 3 })).map(([at, junk]) =>
    text.slice(0, at) + junk + text.slice(at)
  );
}

const query = fc.array(
  fc.tuple(
    fc.constantFrom(
      "status",
      "limit",
      "cursor",
      "tag",
      "wait",
      "after",
      "at",
      "created_after",
      "__proto__",
      "",
    ),
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.integer().map(String),
      fc.constantFrom("queued", "%", "&"),
    ),
  ),
  { maxLength: 2, size: "-1" },
).map((pairs) => pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`);

const headers = fc.record({
  "If-Match": fc.oneof(fc.constantFrom("*", '"1"', 'W/"1"', '"1","2"'), fc.string({ maxLength: 20 })),
  "Idempotency-Key": fc.string({ maxLength: 300 }),
  "Last-Event-ID": fc.oneof(fc.nat().map(String), fc.string({ maxLength: 5 })),
  "X-Request-Id": fc.string({ maxLength: 10 }),
  "Accept": fc.oneof(fc.constant("application/json"), fc.string({ maxLength: 20 })),
  "Content-Type": fc.oneof(
    { weight: 5, arbitrary: fc.constant("application/json") },
    { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  ),
}, { requiredKeys: [] }).map((all) =>
  Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, value.replaceAll(/[^\x20-\x7e]/g, "")]),
  )
);

Deno.test("no request, however odd, gets a 5xx, and every refusal is a problem with a detail", async () => {
  const { jobs, logged, call } = testApp();
  const ids = (["queued", "failed", "completed"] as const).map((status) => jobs.add(status).id);
  const one = fc.constantFrom(...ids).map((id) => `${JOBS}/${id}`);
  const anywhere = fc.oneof(
    one,
    fc.string({ unit: "binary", maxLength: 20 }).map((text) =>
      `${JOBS}/${encodeURIComponent(text.toWellFormed())}`
    ),
    fc.string({ maxLength: 20 }).map((text) => `/${text.replaceAll(/[?#\\/]/g, "%")}`),
  );
  const target = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant("POST"), fc.constant(JOBS)) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom("GET", "HEAD"), fc.constant(JOBS)) },
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom("GET", "PATCH", "DELETE"), one) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constant("POST"), one, fc.constantFrom("/cancel", "/retry"))
        .map(([method, path, rest]) => [method, path + rest]),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom("GET", "HEAD"), one.map((path) => `${path}/events`)) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom("GET", "POST", "PUT", "QUERY", "OPTIONS"), anywhere) },
  ) as fc.Arbitrary<[method: string, path: string]>;

  await fc.assert(
    fc.asyncProperty(target, query, headers, body, async ([method, path], query, headers, body) => {
      const sent = method === "GET" || method === "HEAD" ? undefined : body;
      const stops = new AbortController();
      const leaving = setTimeout(() => stops.abort(), 0);
      const response = await call(method, path + query, sent, { headers, signal: stops.signal });
      clearTimeout(leaving);
      assert(response.status < 500, `${response.status}: ${await response.clone().text()} ${logged.at(-1)}`);
      if (response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
        return await response.body?.cancel();
      }
      const text = await response.text();
      if (response.status < 400 || method === "HEAD") return;
      assertEquals(response.headers.get("Content-Type"), "application/problem+json");
      assert(JSON.parse(text).detail.length > 0);
    }),
    { numRuns: 1500 },
  );
  assertEquals(logged, []);
});

Deno.test("what POST accepts is what the job then has, to the last byte of its payload", async () => {
  const { jobs, call } = testApp();
  const payload = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(payload, async (payload) => {
      if (JSON.stringify(payload).includes("__proto__")) return;
      const text = JSON.stringify(payload);
      const response = await call("POST", JOBS, `{"job_type":"anything","payload":${text}}`);
      assertEquals(response.status, 201);
      assertEquals(JSON.stringify((await response.json()).payload), JSON.stringify(JSON.parse(text)));
      assertEquals(JSON.stringify((jobs.last("create")?.[0] as { payload: unknown }).payload), text);
    }),
    { numRuns: 200 },
  );
});
