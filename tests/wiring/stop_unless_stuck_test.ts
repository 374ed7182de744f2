import { assertEquals } from "@std/assert";
import type { LogHealth } from "../../src/events/append.ts";
import { stopUnlessStuck } from "../../src/wiring/stop_unless_stuck.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const NEVER = new Promise<never>(() => {});
const FULL: LogHealth = { ok: false, why: "the disk is full" };

function stopping(
  health: LogHealth,
  { stopped = NEVER as Promise<void>, hurried = NEVER as Promise<void> } = {},
) {
  const clock = new ManualClock();
  const log = { health };
  const seen: { answer?: string | undefined; failed?: unknown } = {};
  stopUnlessStuck(stopped, { log, hurried, clock }).then(
    ({ stuck }) => seen.answer = stuck ?? "stopped",
    (error) => seen.failed = error,
  );
  return { clock, log, seen };
}

Deno.test("a stop ends when it is done, whatever the log's health", async () => {
  const { seen } = stopping(FULL, { stopped: Promise.resolve() });
  await settle();
  assertEquals(seen.answer, "stopped");
});

Deno.test("a stop waits 15 seconds for a log that takes no writes, and then ends with the reason", async () => {
  const { clock, seen } = stopping(FULL);
  await clock.advanceAsync(14_999);
  assertEquals(seen, {});
  await clock.advanceAsync(1);
  assertEquals(seen.answer, "the disk is full");
});

Deno.test("a stop that is hurried does not wait for a log that takes no writes", async () => {
  const { seen } = stopping(FULL, { hurried: Promise.resolve() });
  await settle();
  assertEquals(seen.answer, "the disk is full");
});

Deno.test("a stop waits as long as it takes while the log takes writes, and notices when it does not any more", async () => {
  const { clock, log, seen } = stopping({ ok: true }, { hurried: Promise.resolve() });
  await clock.advanceAsync(60_000);
  assertEquals(seen, {});
  log.health = FULL;
  await clock.advanceAsync(1_000);
  assertEquals(seen.answer, "the disk is full");
});

Deno.test("a stop that fails is told as it is", async () => {
  const error = new Error("no");
  const { seen } = stopping({ ok: true }, { stopped: Promise.reject(error) });
  await settle();
  assertEquals(seen.failed, error);
});
