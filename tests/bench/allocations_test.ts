import { assert } from "@std/assert";
import { fileURLToPath } from "node:url";

/** With Deno 2.9 it is 26,930; another V8 may lay objects out differently. */
const MAX_BYTES = 28_500;

Deno.test("a no-op job allocates at most 28.5 kB of heap from its creation to its end", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-env",
      "--v8-flags=--expose-gc,--single-threaded,--min-semi-space-size=64,--max-semi-space-size=64,--no-opt," +
      "--no-sparkplug,--no-maglev",
      fileURLToPath(import.meta.resolve("./support/allocations.ts")),
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const bytes = Number(new TextDecoder().decode(stdout));
  assert(bytes > 1_000 && bytes <= MAX_BYTES, `${bytes} bytes`);
});
