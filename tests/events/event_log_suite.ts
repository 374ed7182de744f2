/**
 * What every log promises, whatever store it stands on.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ExpectedVersionConflictError,
  LogDamagedError,
  LogFencedError,
  LogUnavailableError,
} from "../../src/events/errors.ts";
import { headKey } from "../../src/events/head.ts";
import type { Store } from "../../src/events/store.ts";
import { Upcasters } from "../../src/events/upcasters.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { groupCommitSuite } from "./group_commit_suite.ts";
import { inOrder, type LogTest, openLog, type Place, positionsOf, readAll } from "./recorded_log.ts";
import { added, foldedView, META, storedView } from "./tally.ts";

/** Registers the tests for the log on the store of this name. */
export function eventLogSuite(storeName: string, makePlace: () => Promise<Place>): void {
  const test: LogTest = (title, body) =>
    Deno.test(`EventLog on ${storeName} ${title}`, async () => {
      await using place = await makePlace();
      await body(place);
    });
  appendSuite(test);
  groupCommitSuite(test);
  lifetimeSuite(test);
}

/** What is appended is read back: order, versions, time, bytes. */
function appendSuite(test: LogTest): void {
  test("counts positions without a gap and versions from 1 within each stream", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    for (let i = 0; i < 10; i++) await tallies.append(`s/${i % 3}`, added(1), added(2)).landed;
    const events = await readAll(log);
    assertEquals(positionsOf(events), inOrder(20));
    for (const stream of ["s/0", "s/1", "s/2"]) {
      const versions = events.filter(({ event }) => event.stream === stream).map(({ event }) =>
        event.version
      );
      assertEquals(versions, versions.map((_, i) => i + 1));
    }
    assertEquals(log.position, 20);
    await log.close();
  });

  test("stores the very bytes that append answered: the event as UTF-8 JSON", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    const event = { ...added(1), data: { amount: 1, text: "Grüße, 世界 🚀", "\u2028": [1.5, null, '\\"'] } };
    const append = tallies.append("s/1", event);
    await append.landed;
    const [answered, [stored]] = [append.events[0]!, await log.read(0, 1)];
    assertEquals(stored!.bytes, answered.bytes);
    assertEquals(stored!.event, answered.event);
    assertEquals(new TextDecoder().decode(stored!.bytes), JSON.stringify(answered.event));
    assertEquals(Object.keys(stored!.event), [
      ..."log_id partition position stream version type schema_version machine_version time".split(" "),
      ..."actor request_id causation_id reason data".split(" "),
    ]);
    await log.close();
  });

  test("never goes back in time, though the clock does", async (place) => {
    const clock = new ManualClock("2026-01-07T10:15:00.000Z");
    const { log, tallies } = await openLog(await place.open(), { clock });
    await tallies.add("s/1").landed;
    clock.jump(-3_600_000);
    await tallies.add("s/1").landed;
    clock.jump(3_600_250);
    await tallies.add("s/1").landed;
    clock.jump(-86_400_000);
    await log.close();

    const again = await openLog(await place.open(), { clock });
    await again.tallies.add("s/1").landed;
    assertEquals((await readAll(again.log)).map(({ event }) => event.time.slice(11)), [
      "10:15:00.000Z",
      "10:15:00.000Z",
      "10:15:00.250Z",
      "10:15:00.250Z",
    ]);
    assertEquals(again.log.time, Date.parse("2026-01-07T10:15:00.250Z"));
    await again.log.close();
  });

  test("refuses an append whose expected version is not what was staged", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    await tallies.add("s/1").landed;
    const staged = tallies.add("s/1");
    const change = () => ({ before: null, after: { stream: "s/1", version: 0, sum: 0 } });
    const error = assertThrows(
      () => log.append({ stream: "s/1", expectedVersion: 1, events: [added(1)], meta: META, change }),
      ExpectedVersionConflictError,
      `Cannot append to stream "s/1": expected version 1, current version is 2`,
    );
    assertEquals([error.expected, error.actual], [1, 2]);
    await staged.landed;
    assertEquals(log.position, 2);
    await log.close();
  });

  test("knows a stream's staged length while an earlier append of it lands", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    const release = recorder.hold();
    tallies.add("s/1");
    await Promise.resolve();
    tallies.add("s/1");
    const conflicts: unknown[] = [];
    log.listen({
      landed: () => {
        const change = () => ({ before: null, after: { stream: "s/1", version: 0, sum: 0 } });
        const append = { stream: "s/1", expectedVersion: 1, events: [added(1)], meta: META, change };
        if (log.position === 1) {
          conflicts.push(assertThrows(() => log.append(append), ExpectedVersionConflictError));
        }
      },
    });
    release();
    await log.drain();
    assertEquals([conflicts.length, log.position], [1, 2]);
    await log.close();
  });

  test("stages nothing when deciding on the change throws, or when there is no event", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    const change = () => {
      throw new Error("no such change");
    };
    assertThrows(
      () => log.append({ stream: "s/1", expectedVersion: 0, events: [added(1)], meta: META, change }),
      Error,
      "no such change",
    );
    assertThrows(() => tallies.append("s/1"), RangeError, `Cannot append no events to stream "s/1"`);
    await tallies.add("s/1").landed;
    assertEquals(positionsOf(await readAll(log)), [0]);
    await log.close();
  });

  test("reads pages from any position, and single events in the order asked for", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    for (let i = 0; i < 30; i++) tallies.add(`s/${i % 4}`, i);
    await log.drain();
    assertEquals(positionsOf(await log.read(0, 7)), inOrder(7));
    assertEquals(positionsOf(await log.read(25, 100)), [25, 26, 27, 28, 29]);
    assertEquals([await log.read(30, 10), await log.read(99, 10), await log.read(0, 0)], [[], [], []]);
    const asked = [29, 0, 17, ...inOrder(20), 17];
    assertEquals(positionsOf(await log.readAt(asked)), asked);
    assertEquals(await log.readAt([]), []);
    await assertRejects(() => log.readAt([3, 30]), Error, "The log has no event at position 30");
    await log.close();
  });

  test("reads an old event as the newest version, its bytes untouched", async (place) => {
    const upcasters = new Upcasters()
      .add("tally.added", 1, ({ amount }) => ({ amount, unit: "piece" }))
      .add("tally.added", 2, ({ amount, unit }) => ({ amount, unit: { name: unit } }));
    const { log, tallies } = await openLog(await place.open(), { upcasters });
    const append = tallies.append("s/1", added(5), { ...added(6), schema_version: 3, type: "tally.added" });
    await append.landed;
    const [first, second] = await log.read(0, 2);
    assertEquals([first!.event.schema_version, first!.event.data], [3, {
      amount: 5,
      unit: { name: "piece" },
    }]);
    assertEquals([second!.event.schema_version, second!.event.data], [3, { amount: 6 }]);
    assertEquals([first!.bytes, second!.bytes], append.events.map(({ bytes }) => bytes));
    assertEquals((await log.readAt([0]))[0], first);
    await log.close();
  });
}

/** From one opening to the next, and from one owner to the next. */
function lifetimeSuite(test: LogTest): void {
  test("goes on where it ended when it is opened again, in a new epoch", async (place) => {
    const first = await openLog(await place.open());
    await first.tallies.add("s/1", 2).landed;
    const { logId } = first.log;
    await first.log.close();

    const second = await openLog(await place.open());
    assertEquals([second.log.logId, second.log.position, second.log.time], [logId, 1, first.log.time]);
    await second.tallies.add("s/1", 3).landed;
    const { value } = await second.recorder.get(headKey(0));
    const head = JSON.parse(new TextDecoder().decode(value!));
    assertEquals([head.epoch, head.position, head.partitions, head.log_id], [2, 2, 1, logId]);
    const events = await readAll(second.log);
    assertEquals(events.map(({ event }) => [event.position, event.version]), [[0, 1], [1, 2]]);
    assertEquals(await storedView(second.recorder), foldedView(events));
    await second.log.close();
  });

  test("is lost to whoever opens it later: nothing of the first one lands any more", async (place) => {
    const store = await place.open();
    const first = await openLog(store);
    await first.tallies.add("s/1").landed;
    const second = await openLog(store);
    const health: unknown[] = [];
    first.log.listen({ health: (now) => health.push(now.ok) });

    const [refused, waiting] = [first.tallies.add("s/1"), first.tallies.add("s/2")];
    const error = await assertRejects(
      () => refused.landed,
      LogFencedError,
      "holds epoch 1, the log is at epoch 2",
    );
    assertEquals([error.logId, error.epoch, error.foundEpoch], [first.log.logId, 1, 2]);
    await assertRejects(() => waiting.landed, LogFencedError);
    assertThrows(() => first.tallies.add("s/3"), LogFencedError);
    assertEquals([first.log.health.ok, health.at(-1)], [false, false]);

    await second.tallies.add("s/1").landed;
    await first.log.drain();
    const events = await readAll(second.log);
    assertEquals(positionsOf(events), [0, 1]);
    assertEquals(await storedView(store), foldedView(events));
    await second.log.close();
  });

  test("is opened by one of two that try at the same moment", async (place) => {
    const store = await place.open();
    const opened = await Promise.allSettled([openLog(store), openLog(store)]);
    assertEquals(opened.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const failed = opened.find((result) => result.status === "rejected")!;
    assertEquals(failed.reason.message, "Another process opened the log at the same moment; start again");
    store.close();
  });

  test("is not opened when its head is gone or counts too few events: that would write over the others", async (place) => {
    const store = await place.open();
    const { log, tallies } = await openLog(store);
    await tallies.add("s/1").landed;
    const early = await store.get(headKey(0));
    await tallies.add("s/1").landed;
    await log.drain();
    const last = await store.get(headKey(0));
    const check = { key: headKey(0), versionstamp: last.versionstamp };

    const gone = await store.commit({ check, puts: [], deletes: [headKey(0)] });
    assert(gone);
    const error = await assertRejects(() => openLog(store), LogDamagedError);
    assertEquals(error.counted, 0);
    assertEquals((await store.get(headKey(0))).value, null);

    const none = { key: headKey(0), versionstamp: null };
    assert(
      await store.commit({ check: none, puts: [{ key: headKey(0), value: early.value! }], deletes: [] }),
    );
    assertEquals((await assertRejects(() => openLog(store), LogDamagedError)).counted, 1);
    assertEquals((await store.get(headKey(0))).value, early.value);
    store.close();
  });

  test("is opened while its last owner writes on", async (place) => {
    const store = await place.open();
    const first = await openLog(store);
    await first.tallies.add("s/1").landed;
    // Its next event lands between the reading of the head and the look beyond it.
    const racing: Store = {
      get: (key) => store.get(key),
      getMany: (keys) => store.getMany(keys),
      commit: (commit) => store.commit(commit),
      close: () => store.close(),
      async list(...asked) {
        if (first.log.position === 1) await first.tallies.add("s/1").landed;
        return await store.list(...asked);
      },
    };
    const second = await openLog(racing);
    assertEquals(second.log.position, 2);
    await second.log.close();
  });

  test("waits in drain for what was staged, and at once when there is nothing", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    await log.drain();
    for (let i = 0; i < 1000; i++) tallies.add(`s/${i}`);
    await log.drain();
    assertEquals(log.position, 1000);
    await log.close();
  });

  test("waits in close for what was staged, and takes nothing further", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    const appends = inOrder(1000).map((i) => tallies.add(`s/${i}`));
    const closed = log.close();
    assertThrows(() => tallies.add("s/1"), LogUnavailableError, "Daybook is stopping");
    assertEquals(log.health, { ok: false, why: "Daybook is stopping" });
    await closed;
    await Promise.all(appends.map(({ landed }) => landed));

    const again = await openLog(await place.open());
    assertEquals(again.log.position, 1000);
    await again.log.close();
  });

  test("lets a listener and an answered caller append at once", async (place) => {
    const { log, tallies } = await openLog(await place.open());
    const stop = log.listen({
      landed: (appends) => {
        for (const { stream } of appends) if (stream === "s/1") tallies.add("s/heard");
      },
    });
    await tallies.add("s/1").landed;
    await tallies.add("s/answered").landed;
    stop();
    await tallies.add("s/1").landed;
    await log.drain();
    const streams = (await readAll(log)).map(({ event }) => event.stream);
    assertEquals(streams, ["s/1", "s/heard", "s/answered", "s/1"]);
    await log.close();
  });
}
