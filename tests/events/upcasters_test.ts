import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { EventEnvelope } from "../../src/events/event.ts";
import { Upcasters } from "../../src/events/upcasters.ts";

function event(type: string, schema_version: number): EventEnvelope {
  return { type, schema_version, data: { steps: [] }, stream: "s/1" } as unknown as EventEnvelope;
}

const step = (name: string) => (data: Readonly<Record<string, unknown>>) => ({
  ...data,
  steps: [...data.steps as string[], name],
});

const upcasters = new Upcasters()
  .add("a", 2, step("2 to 3"))
  .add("a", 1, step("1 to 2"))
  .add("b", 1, step("b"));

Deno.test("Upcasters take an event through every version to the newest", () => {
  const old = event("a", 1);
  assertEquals(upcasters.upcast(old), {
    ...event("a", 3),
    data: { steps: ["1 to 2", "2 to 3"] },
  });
  assertEquals(old, event("a", 1), "the old one is untouched");
  assertEquals(upcasters.upcast(event("a", 2)).data, { steps: ["2 to 3"] });
});

Deno.test("Upcasters hand on an event that needs nothing", () => {
  for (const same of [event("a", 3), event("a", 9), event("other", 1)]) {
    assertStrictEquals(upcasters.upcast(same), same);
  }
});

Deno.test("Upcasters refuse a second step from the same version", () => {
  assertThrows(
    () => new Upcasters().add("a", 1, step("x")).add("a", 1, step("y")),
    RangeError,
    "a has two upcasters",
  );
});
