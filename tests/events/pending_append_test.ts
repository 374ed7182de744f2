import { assertRejects, assertStrictEquals } from "@std/assert";
import { PendingAppend } from "../../src/events/pending_append.ts";
import { settle } from "../support/manual_clock.ts";

const pending = () => new PendingAppend("s/1", [], undefined, undefined);

Deno.test("whoever asks for an append's fate is told it, before it is known or after", async () => {
  for (const asked of ["before", "after"]) {
    const [landing, lost] = [pending(), pending()];
    if (asked === "before") assertStrictEquals(landing.landed, landing.landed);
    const waiting = asked === "before" ? assertRejects(() => lost.landed, Error, "full") : undefined;
    landing.resolve();
    lost.reject(new Error("the disk is full"));
    await landing.landed;
    await waiting;
    await assertRejects(() => lost.landed, Error, "full");
  }
});

Deno.test("an append's first fate stays", async () => {
  const append = pending();
  append.reject(new Error("not known"));
  append.resolve();
  append.reject(new Error("lost"));
  await assertRejects(() => append.landed, Error, "not known");
});

Deno.test("a loss that nobody asks for is nobody's unhandled rejection", async () => {
  pending().reject(new Error("lost"));
  const asked = pending();
  void asked.landed;
  asked.reject(new Error("lost"));
  await settle();
});
