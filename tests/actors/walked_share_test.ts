import { assertEquals } from "@std/assert";
import { walkedShare } from "../../src/actors/walked_share.ts";
import { aSpec } from "./support/facts.ts";
import { logOfJobs, TESTER } from "./support/log_of_jobs.ts";

/** A job a minute; jobs by the minute, 0 to 100. */
async function aJobAMinute() {
  const { processor, log, clock } = await logOfJobs();
  const start = clock.now();
  const ids: string[] = [];
  for (let i = 0; i <= 100; i++) {
    ids.push(processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER).after.id);
    await log.drain();
    clock.advance(60_000);
  }
  const at = (minute: number) => start + (minute - 0.5) * 60_000;
  return { log, ids, at };
}

Deno.test("walkedShare() is the share of the log from where the walk begins down to a job", async () => {
  const { log, ids } = await aJobAMinute();
  const share = await walkedShare(log, {}, 80);
  assertEquals([100, 80, 60, 20, 0].map((i) => share(ids[i]!)), [0, 0, 0.25, 0.75, 1]);
});

Deno.test("walkedShare() is of what the filter's times leave", async () => {
  const { log, ids, at } = await aJobAMinute();
  const share = await walkedShare(log, { createdAfter: at(20), createdBefore: at(60) }, 100);
  assertEquals([80, 60, 50, 30, 20, 10].map((i) => share(ids[i]!)), [0, 0, 0.25, 0.75, 1, 1]);
  const none = await walkedShare(log, { createdAfter: at(60), createdBefore: at(20) }, 100);
  assertEquals([none(ids[70]!), none(ids[10]!)], [0, 1]);
});
