/**
 * What every log promises of its commits: what goes into one, and who is told when.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventTooLargeError } from "../../src/events/errors.ts";
import { MAX_EVENT_BYTES } from "../../src/events/event.ts";
import { fromPage } from "../../src/events/event_page.ts";
import { eventKey, EVENTS, headKey } from "../../src/events/head.ts";
import type { Commit } from "../../src/events/store.ts";
import { inOrder, type LogTest, openLog, positionsOf, readAll } from "./recorded_log.ts";
import { added, foldedView, storedView } from "./tally.ts";

/** Deno KV's limits for one commit. */
const KV_MUTATIONS = 1000;
const KV_COMMIT_BYTES = 800 * 1024;
const KV_KEY_BYTES = 80 * 1024;

export function groupCommitSuite(test: LogTest): void {
  test("commits together what arrives while a commit is under way, and only one is", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    const release = recorder.hold();
    const first = tallies.add("s/0");
    await Promise.resolve();
    const rest = inOrder(100).map((i) => tallies.add(`s/${i}`));
    assertEquals(recorder.commits.length, 2, "the opening, and the first append on its own");
    release();
    await Promise.all([first, ...rest].map(({ landed }) => landed));
    assertEquals(recorder.commits.length, 3);
    assertEquals(recorder.mostUnderway, 1);
    assertEquals(positionsOf(await readAll(log)), inOrder(101));
    await log.close();
  });

  test("commits as soon as 64 appends wait, while those behind them are still being staged", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    const appends = inOrder(100).map((i) => tallies.add(`s/${i}`));
    assertEquals(eventsIn(recorder.commits.slice(1)), [64]);
    await Promise.all(appends.map(({ landed }) => landed));
    assertEquals(eventsIn(recorder.commits.slice(1)), [64, 36]);
    assertEquals(recorder.mostUnderway, 1);
    await log.close();
  });

  test("parts neither what is staged together nor what one stream is told in turn", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    log.together(() => inOrder(100).map((i) => tallies.add(`s/${i}`)));
    await log.drain();
    assertEquals(eventsIn(recorder.commits.slice(1)), [100]);
    inOrder(63).map((i) => tallies.add(`t/${i}`));
    inOrder(3).map(() => tallies.add("t/63"));
    tallies.add("t/64");
    await log.drain();
    assertEquals(eventsIn(recorder.commits.slice(2)), [66, 1]);
    await log.close();
  });

  test("writes rows and indexes in the commit of their events, each once", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    await tallies.add("s/1", 3).landed;
    await Promise.all(
      [tallies.add("s/1", 4), tallies.add("s/2", 7), tallies.add("s/1", 1)].map((a) => a.landed),
    );
    const { puts, deletes } = recorder.commits.at(-1)!.commit;
    const { log_id } = (await log.read(0, 1))[0]!.event;
    assertEquals(log_id, log.logId);
    assertEquals(puts.map(({ key }) => key), [
      ...[["r", "s/1"], ["i", 8, "s/1"], ["r", "s/2"], ["i", 7, "s/2"], ["t"]],
      ...[eventKey(0, 1), headKey(0)],
    ]);
    assertEquals(deletes, [["i", 3, "s/1"]]);
    assertEquals(await storedView(recorder), foldedView(await readAll(log)));
    await log.close();
  });

  test("shows and tells nothing before it is on disk", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    const told: string[] = [];
    log.listen({ landed: (appends) => told.push(...appends.map(({ stream }) => `told ${stream}`)) });
    const release = recorder.hold();
    const appends = [tallies.add("s/1"), tallies.add("s/2")];
    for (const { landed, stream } of appends) landed.then(() => told.push(`landed ${stream}`));
    await recorder.get(headKey(0));
    assertEquals([told, log.position, await readAll(log)], [[], 0, []]);
    assertEquals((await storedView(recorder)).total, 0);
    release();
    await log.drain();
    await Promise.all(appends.map(({ landed }) => landed));
    assertEquals(told, ["told s/1", "told s/2", "landed s/1", "landed s/2"]);
    await log.close();
  });

  test("takes events up to 60 KiB and refuses a larger one without harm to its neighbours", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    const empty = tallies.append("s/0", added(1, 1)).events[0]!.bytes.length - 1;
    const before = tallies.add("s/1");
    const error = assertThrows(
      () => tallies.append("s/2", added(1), added(1, MAX_EVENT_BYTES - empty + 1)),
      EventTooLargeError,
      `Cannot append tally.added to stream "s/2": it has 61441 bytes, at most 61440 are allowed`,
    );
    assertEquals([error.stream, error.bytes, error.limit], ["s/2", 61_441, 61_440]);
    const after = tallies.append("s/2", added(1, MAX_EVENT_BYTES - empty));
    assertEquals(after.events[0]!.bytes.length, MAX_EVENT_BYTES);
    await Promise.all([before.landed, after.landed]);
    assertEquals(positionsOf(await readAll(log)), [0, 1, 2]);
    assertEquals(recorder.commits.length, 2);
    await log.close();
  });

  for (
    const [what, count, padding, keyLength] of [
      ["500 events of 50 KiB at once", 500, 50 * 1024, 0],
      ["3000 small events at once", 3000, 0, 0],
      ["1000 events with keys of a kilobyte at once", 1000, 0, 1000],
    ] as const
  ) {
    test(`splits ${what} into commits within Deno KV's limits`, async (place) => {
      const { log, recorder, tallies } = await openLog(await place.open());
      const appends = inOrder(count).map((i) =>
        tallies.append(`${"k".repeat(keyLength)}/${i}`, added(1, padding))
      );
      await Promise.all(appends.map(({ landed }) => landed));
      for (const { mutations, bytes, keyBytes } of recorder.commits) {
        assert(mutations <= KV_MUTATIONS, `${mutations} mutations`);
        assert(bytes <= KV_COMMIT_BYTES, `${bytes} bytes`);
        assert(keyBytes <= KV_KEY_BYTES, `${keyBytes} bytes of keys`);
      }
      assertEquals(recorder.mostUnderway, 1);
      assertEquals(log.position, count);
      assertEquals(positionsOf(await log.read(count - 40, 40)), inOrder(count).slice(-40));
      assertEquals((await storedView(recorder)).total, count);
      await log.close();
    });
  }

  test("refuses an append that no commit can hold, without harm to its neighbours", async (place) => {
    const { log, recorder, tallies } = await openLog(await place.open());
    const before = tallies.add("s/1");
    assertThrows(
      () => tallies.append("s/2", ...inOrder(20).map(() => added(1, 50 * 1024))),
      RangeError,
      `Cannot append 20 events to stream "s/2" at once`,
    );
    assertThrows(
      () => tallies.append("s/2", ...inOrder(1000).map(() => added(1))),
      RangeError,
      "1000 events",
    );
    const after = tallies.append("s/2", ...inOrder(8).map(() => added(1, 50 * 1024)));
    await Promise.all([before.landed, after.landed]);
    assertEquals(positionsOf(await readAll(log)), inOrder(9));
    assertEquals(await storedView(recorder), foldedView(await readAll(log)));
    await log.close();
  });
}

function eventsIn(commits: readonly { commit: Commit }[]): number[] {
  return commits.map(({ commit }) =>
    commit.puts.filter(({ key }) => key[0] === EVENTS).reduce(
      (sum, page) => sum + fromPage(page).events.length,
      0,
    )
  );
}
