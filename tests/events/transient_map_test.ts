import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fileURLToPath } from "node:url";
import { TransientMap } from "../../src/events/transient_map.ts";
import { scriptOutput } from "../support/script_output.ts";

Deno.test("it holds what a Map would hold, in the same order, whatever is set and deleted", () => {
  const key = fc.nat(200);
  const anyStep = fc.oneof(
    { weight: 50, arbitrary: fc.record({ do: fc.constant("set" as const), key }) },
    { weight: 50, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const), key }) },
  );
  fc.assert(fc.property(fc.array(anyStep, { minLength: 300, maxLength: 2_000 }), (steps) => {
    const model = new Map<number, number>();
    const map = new TransientMap<number, number>();
    steps.forEach((step, i) => {
      if (step.do === "set") {
        model.set(step.key, i);
        map.set(step.key, i);
      } else if (step.do === "delete") assertEquals(map.delete(step.key), model.delete(step.key));
      else {
        model.clear();
        map.clear();
      }
      assertEquals([map.size, map.get(step.key)], [model.size, model.get(step.key)]);
    });
    assertEquals(map.entries(), [...model]);
  }));
});

Deno.test("what was deleted from it is freed without a full collection", async () => {
  const output = await scriptOutput(
    "--v8-flags=--expose-gc,--single-threaded,--min-semi-space-size=16,--max-semi-space-size=16",
    fileURLToPath(import.meta.resolve("./support/passing_through.ts")),
  );
  const kept: { map: number; transient: number } = JSON.parse(output);
  assert(kept.map > 5_000, `a Map keeps ${kept.map} of 20,000, so that there is nothing to test`);
  assert(kept.transient < 1_000, `${kept.transient} of 20,000 are kept`);
});
