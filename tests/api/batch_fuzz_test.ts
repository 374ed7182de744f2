import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import { BACKOFF_DEFAULT } from "../../src/actors/job/job.ts";
import { createApp } from "../../src/api/app.ts";
import { TestRuntime } from "../actors/support/test_runtime.ts";
import { JOBS } from "./support/test_app.ts";

/** The app over a whole runtime whose jobs do not start. */
async function wholeApp() {
  const strict = {
    jobType: "strict",
    payloadSchema: z.strictObject({ to: z.email(), n: z.int().optional() }),
    run: () => ({}),
  };
  const runtime = await TestRuntime.open({ startNow: false, handlers: [strict] });
  const logged: string[] = [];
  const app = createApp({
    jobs: runtime.runtime.jobs,
    tokens: { verify: () => ({ name: "admin", scopes: ["admin"] }) },
    backoffDefault: BACKOFF_DEFAULT,
    logger: { error: (message) => logged.push(message) },
  });
  const send = async (body: string, key?: string) => {
    const response = await app.request(`${JOBS}/batch`, {
      method: "POST",
      headers: {
        Authorization: "Bearer any",
        "Content-Type": "application/json",
        ...(key !== undefined && { "Idempotency-Key": key }),
      },
      body,
    });
    return { status: response.status, value: await response.json() };
  };
  return { runtime, logged, send };
}

const fitting = fc.record({
  job_type: fc.constantFrom("echo", "strict"),
  payload: fc.record({ to: fc.constantFrom("ada@example.com", "nobody"), n: fc.integer() }, {
    requiredKeys: [],
  }),
  queue: fc.constantFrom("default", "mail", "no queue"),
  tags: fc.array(fc.string({ unit: "binary", maxLength: 3 }), { maxLength: 3 }),
  max_retries: fc.integer({ min: -1, max: 26 }),
}, { requiredKeys: ["job_type"] }).map((item) => JSON.stringify(item));
const odd = fc.oneof(
  fc.json({ noUnicodeString: false }),
  fc.constantFrom(
    "1e400",
    '"\\ud800"',
    '{"__proto__":{"job_type":"echo"}}',
    '{"job_type":"constructor"}',
    '{"job_type":"echo","payload":{"x":-1e999}}',
    "[".repeat(100) + "]".repeat(100),
  ),
);
const items = fc.array(fc.oneof({ weight: 3, arbitrary: fitting }, odd), { minLength: 1, maxLength: 12 });
const members = fc.constantFrom(
  "",
  "",
  "",
  ',"atomic":false',
  ',"atomic":true',
  ',"atomic":1',
  ',"__proto__":[]',
);

Deno.test("no batch, however odd its items, gets a 5xx, and what is refused changes nothing", async () => {
  const { runtime, logged, send } = await wholeApp();
  const total = async () => (await runtime.queries.stats()).total;
  const key = fc.option(fc.uuid(), { nil: undefined });
  const seen = { created: 0, repeated: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(items, members, key, async (items, members, key) => {
      const [before, body] = [await total(), `{"jobs":[${items.join()}]${members}}`];
      const { status, value } = await send(body, key);
      const repeated = key !== undefined && status < 300 ? await send(body, key) : undefined;
      if (status >= 400) {
        seen.refused += 1;
        assertEquals(status, 422, JSON.stringify(value));
        assert(value.detail.length > 0);
        assertEquals(await total(), before);
        return;
      }
      assertEquals(value.length, items.length);
      const created = value.filter((result: { job?: unknown }) => result.job);
      assertEquals([status, await total() - before], [201, created.length]);
      seen.created += created.length;
      for (const { job } of created) assertEquals(await runtime.job(job.id), job);
      for (const { error } of value) if (error) assert(error.status === 422 && error.detail.length > 0);
      if (!repeated) return;
      seen.repeated += 1;
      assertEquals(repeated, { status: created.length > 0 ? 200 : 201, value });
    }),
    { numRuns: 400 },
  );
  assert(Object.values(seen).every((times) => times > 20), JSON.stringify(seen));
  assertEquals(logged, []);
  await runtime.runtime.log.close();
});
