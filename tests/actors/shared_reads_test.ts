import { assertEquals, assertRejects } from "@std/assert";
import { SharedReads } from "../../src/actors/shared_reads.ts";
import type { StoredEvent } from "../../src/events/event.ts";
import { settle } from "../support/manual_clock.ts";

const eventAt = (position: number) => ({ event: { position } }) as StoredEvent;

Deno.test("SharedReads reads together what is asked for while a read is under way, each position once", async () => {
  const asked: (readonly number[])[] = [];
  let answer = Promise.withResolvers<void>();
  const reads = new SharedReads({
    find: async (positions) => {
      asked.push(positions);
      await answer.promise;
      return positions.map((position) => position < 9 ? eventAt(position) : undefined);
    },
  });
  const found = [reads.find([1]), reads.find([2, 9]), reads.find([3, 2])];
  answer.resolve();
  assertEquals((await Promise.all(found)).map((events) => events.map((each) => each?.event.position)), [
    [1],
    [2, undefined],
    [3, 2],
  ]);
  assertEquals(asked, [[1], [2, 9, 3]]);
  answer = Promise.withResolvers();
  const later = reads.find([4]);
  await settle();
  answer.resolve();
  assertEquals((await later).length, 1);
});

Deno.test("SharedReads tells all that share a read when it fails, and reads on", async () => {
  let fails = true;
  const reads = new SharedReads({
    find: (positions) => fails ? Promise.reject(new Error("away")) : Promise.resolve(positions.map(eventAt)),
  });
  const asks = [reads.find([1]), reads.find([2]), reads.find([3])];
  for (const ask of asks) await assertRejects(() => ask, Error, "away");
  fails = false;
  assertEquals((await reads.find([4]))[0]?.event.position, 4);
});
