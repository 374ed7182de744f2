/**
 * Failed logins leave a trace, and no more than that.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FailedLoginCounter, type FailedLogins } from "../../src/api/failed_logins.ts";
import { ManualClock } from "../support/manual_clock.ts";

const MINUTE_MS = 60_000;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

Deno.test("each address is told once a minute, with how often, and only while something happens", async () => {
  const clock = new ManualClock();
  const told: FailedLogins[] = [];
  const counter = new FailedLoginCounter({
    clock,
    record: (failed) => Promise.resolve(void told.push(failed)),
  });
  const start = clock.now();
  for (let n = 0; n < 3; n++) counter.failed("192.0.2.1");
  clock.advance(1_000);
  counter.failed("192.0.2.2");
  assertEquals(told, []);
  clock.advance(MINUTE_MS - 1_000);
  await settle();
  const iso = (ms: number) => new Date(ms).toISOString();
  assertEquals(told, [
    { address: "192.0.2.1", count: 3, first: iso(start), last: iso(start) },
    { address: "192.0.2.2", count: 1, first: iso(start + 1_000), last: iso(start + 1_000) },
  ]);
  clock.advance(10 * MINUTE_MS);
  await settle();
  assertEquals(told.length, 2);
});

Deno.test("a flood from 100,000 addresses makes 33 events a minute, and none of it is uncounted", async () => {
  const clock = new ManualClock();
  const told: FailedLogins[] = [];
  const counter = new FailedLoginCounter({
    clock,
    record: (failed) => Promise.resolve(void told.push(failed)),
  });
  for (let n = 0; n < 100_000; n++) counter.failed(`2001:db8::${n.toString(16)}`);
  await counter.close();
  assertEquals(told.length, 33);
  assertEquals(told.reduce((sum, { count }) => sum + count, 0), 100_000);
  assertEquals(told.find(({ address }) => address === "others")!.count, 100_000 - 32);
});

Deno.test("what could not be put on record is tried again a minute later, together with what came meanwhile", async () => {
  const clock = new ManualClock();
  const told: FailedLogins[] = [];
  let isFull = true;
  const counter = new FailedLoginCounter({
    clock,
    record: (failed) => isFull ? Promise.reject(new Error("full")) : Promise.resolve(void told.push(failed)),
  });
  counter.failed("192.0.2.1");
  clock.advance(MINUTE_MS);
  await settle();
  counter.failed("192.0.2.1");
  isFull = false;
  clock.advance(MINUTE_MS);
  await settle();
  assertEquals(told.map(({ count }) => count), [2]);
  assert(told[0]!.first < told[0]!.last);
});
