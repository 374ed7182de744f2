import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { checkedPayload } from "../../src/actors/checked_payload.ts";

Deno.test("checkedPayload() answers at once, and a promise where the schema has asynchronous checks", async () => {
  const now = checkedPayload(z.strictObject({ a: z.number() }), { a: 1 });
  assert(!(now instanceof Promise));
  assertEquals(now.data, { a: 1 });
  const later = checkedPayload(z.any().refine(() => Promise.resolve(false)), {});
  assert(later instanceof Promise);
  assertEquals((await later).success, false);
});

Deno.test("checkedPayload() makes an asynchronous check once, when the schema is known to have one", async () => {
  let checks = 0;
  const schema = z.any().refine(async () => {
    checks += 1;
    await Promise.resolve();
    // Nobody could catch the error of a check that is made and thrown away.
    if (checks > 2) throw new Error("stumbled");
    return true;
  });
  await checkedPayload(schema, {});
  assertEquals(checks, 2, "the first time it is not known");
  await assertRejects(async () => await checkedPayload(schema, {}), Error, "stumbled");
  assertEquals(checks, 3);
});
