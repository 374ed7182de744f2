import { assertEquals } from "@std/assert";
import { ChangedMeanwhile } from "../../src/actors/changed_meanwhile.ts";
import { isQueued } from "../../src/actors/job/state.ts";
import { aSpec } from "./support/facts.ts";
import { logOfJobs, TESTER } from "./support/log_of_jobs.ts";

Deno.test("ChangedMeanwhile names the jobs that changed since it was asked last and are wanted as they are now", async () => {
  const { processor, log } = await logOfJobs();
  const create = () =>
    processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER).after.id;
  const [still, updated, started, cancelled] = [create(), create(), create(), create()];
  await log.drain();
  const update = (id: string) =>
    processor.execute(id, { type: "update", changes: { tags: ["red"] } }, TESTER);
  {
    using changed = new ChangedMeanwhile(log, ({ phase }) => isQueued(phase));
    for (const id of [updated, started, cancelled, updated]) await update(id);
    await processor.execute(started, { type: "start" }, TESTER);
    await processor.execute(cancelled, { type: "cancel" }, TESTER);
    assertEquals([changed.take(), changed.take()], [[updated], []]);
    await update(still);
    assertEquals(changed.take(), [still]);
  }
});

Deno.test("ChangedMeanwhile listens no longer than it is used", () => {
  const listeners = new Set<unknown>();
  const log = {
    listen: (listener: unknown) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  {
    using _ = new ChangedMeanwhile(log, () => true);
    assertEquals(listeners.size, 1);
  }
  assertEquals(listeners.size, 0);
});
