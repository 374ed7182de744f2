import { assert, assertEquals } from "@std/assert";
import { EventLog } from "../../src/events/event_log.ts";
import { monotonicIds } from "../../src/events/ids.ts";
import { KvStore } from "../../src/events/kv_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { smallDisk } from "../logging/small_disk.ts";
import { Caller } from "./faulty_log.ts";
import { added, foldedView, storedView, Tallies, type TallyChange, TallyProjector } from "./tally.ts";

const DISK_BYTES = 4 * 1024 * 1024;
const FILLER_BYTES = 2 * 1024 * 1024;

async function open(kv: Deno.Kv, clock: ManualClock) {
  const store = new KvStore(kv);
  const projector = new TallyProjector();
  const newId = monotonicIds(() => clock.now());
  const log = await EventLog.open<TallyChange>({ store, projector, newId, clock });
  const { rows, total } = await storedView(store);
  projector.start(total);
  return { store, log, tallies: new Tallies(log, rows) };
}

/** Lets the clock run, by the pause between two tries at a time, until the log takes writes again. */
async function untilHealthy(log: EventLog<TallyChange>, clock: ManualClock): Promise<void> {
  for (let tries = 0; !log.health.ok; tries++) {
    assert(tries < 10_000, `the log did not recover: ${JSON.stringify(log.health)}`);
    if (clock.untilNext !== undefined && clock.untilNext <= 2_000) clock.advance(clock.untilNext);
    await settle();
  }
}

Deno.test({
  name: "EventLog on a full disk loses nothing acknowledged, and takes writes again once there is room" +
    (smallDisk.unavailable ? " (ignored: needs root, to mount a tmpfs)" : ""),
  ignore: smallDisk.unavailable,
  async fn() {
    await using disk = await smallDisk.mount(DISK_BYTES);
    const clock = new ManualClock();
    const filler = `${disk.path}/filler`;
    await Deno.writeFile(filler, new Uint8Array(FILLER_BYTES));
    using kv = await Deno.openKv(`${disk.path}/log.kv`);
    const { store, log, tallies } = await open(kv, clock);

    const reasons = new Set<string>();
    log.listen({ health: (health) => health.ok || reasons.add(health.why) });
    const acknowledged: Uint8Array[] = [];
    const refused: Caller[] = [];
    /** Appends until one is not acknowledged, which smaller ones may still be. */
    const fill = async (padding: number) => {
      while (log.health.ok) {
        const append = tallies.append("s/1", added(1, padding));
        const caller = new Caller(append);
        while (caller.answer === "pending") {
          if (!log.health.ok && clock.untilNext !== undefined) clock.advance(clock.untilNext);
          await settle();
        }
        if (caller.answer === "landed") acknowledged.push(append.events[0]!.bytes);
        else return void refused.push(caller);
      }
    };
    for (const padding of [30_000, 3_000, 1]) await fill(padding);
    assert(acknowledged.length > 10);
    assertEquals([...reasons], ["database or disk is full"]);

    await Deno.remove(filler);
    await untilHealthy(log, clock);
    await settle();
    for (const { answer, settled } of refused) {
      assertEquals(answer === "unknown" ? settled : answer, answer === "unknown" ? "lost" : "unavailable");
    }
    for (let i = 0; i < 10; i++) {
      const append = tallies.append("s/1", added(1, 30_000));
      await append.landed;
      acknowledged.push(append.events[0]!.bytes);
    }
    const events = await log.read(0, 1000);
    assertEquals(events.map(({ bytes }) => bytes), acknowledged);
    assertEquals(await storedView(store), foldedView(events));

    // Closing moves what the write-ahead log holds into the file itself, which for a moment takes the room twice.
    await disk.grow(4 * DISK_BYTES);
    await log.close();
    using kvAgain = await Deno.openKv(`${disk.path}/log.kv`);
    const again = await open(kvAgain, clock);
    assertEquals((await again.log.read(0, 1000)).map(({ bytes }) => bytes), acknowledged);
    await again.tallies.add("s/1").landed;
    await again.log.close();
  },
});
