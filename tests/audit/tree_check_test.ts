/**
 * Logs that were sealed for years have more checkpoints than a call can have arguments.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { comparedStore } from "../../src/audit/compared_store.ts";
import { Findings } from "../../src/audit/findings.ts";
import { TreeCheck } from "../../src/audit/tree_check.ts";
import { treeHere } from "../../src/audit/tree_growth.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";

const TWO_YEARS_OF_MINUTES = 1_000_000;

Deno.test("a million checkpoints are checked, as a log has after two years", async () => {
  const root = new Uint8Array(32);
  const seals = Array.from(
    { length: TWO_YEARS_OF_MINUTES },
    (_, i) => ({ size: i + 1, root, isSigned: null }),
  );
  const findings = new Findings();
  const tree = new TreeCheck({
    store: comparedStore(new MemoryStore()),
    head: { log_id: "log", epoch: 1, position: 0, batch_id: "", time: 0, partitions: 1 },
    sealing: { size: 0, seals },
    outside: [],
    grower: treeHere,
    findings,
  });
  assertEquals(await tree.finish(), 0);
  assertEquals(
    findings.violations.total,
    TWO_YEARS_OF_MINUTES,
    "an empty log has the events of none of them",
  );
});
