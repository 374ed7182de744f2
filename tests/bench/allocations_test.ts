import { assert } from "@std/assert";
import { fileURLToPath } from "node:url";
import { scriptOutput } from "../support/script_output.ts";

/** With Deno 2.9 it is 26,930; another V8 may lay objects out differently. */
const MAX_BYTES = 28_500;

Deno.test("a no-op job allocates at most 28.5 kB of heap from its creation to its end", async () => {
  const output = await scriptOutput(
    "--allow-env",
    "--v8-flags=--expose-gc,--single-threaded,--min-semi-space-size=64,--max-semi-space-size=64,--no-opt," +
      "--no-sparkplug,--no-maglev",
    fileURLToPath(import.meta.resolve("./support/allocations.ts")),
  );
  const bytes = Number(output);
  assert(bytes > 1_000 && bytes <= MAX_BYTES, `${bytes} bytes`);
});
