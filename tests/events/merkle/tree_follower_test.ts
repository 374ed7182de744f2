import { assert, assertEquals, assertMatch } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import { isCheckpointBy, parseCheckpoint } from "../../../src/events/merkle/checkpoint.ts";
import { inclusionProof, verifyInclusion } from "../../../src/events/merkle/proofs.ts";
import { rawPublicKey } from "../../../src/events/merkle/signed_note.ts";
import { storedHashes } from "../../../src/events/merkle/stored_tree.ts";
import {
  checkpointKey,
  cursorKey,
  encodeCursor,
  latestCheckpoint,
  TreeFollower,
} from "../../../src/events/merkle/tree_follower.ts";
import { leafHash } from "../../../src/events/merkle/tree_hash.ts";
import type { Store } from "../../../src/events/store.ts";
import { FaultyStore } from "../../support/faulty_store.ts";
import { ManualClock, settle } from "../../support/manual_clock.ts";
import { openLog, readAll } from "../recorded_log.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");

/** A log with a follower; `store` is what the follower has. */
async function followed(spoil: (store: Store) => Store = (store) => store) {
  const disk = new MemoryStore();
  const clock = new ManualClock();
  const { log, tallies } = await openLog(disk, { clock });
  const errors: unknown[] = [];
  const checkpoints: string[] = [];
  const follow = (position = () => log.position) =>
    new TreeFollower({
      store: spoil(disk),
      partition: 0,
      position,
      signer: { name: log.logId, privateKey },
      clock,
      onCheckpoint: (note) => checkpoints.push(note),
      onError: (error) => errors.push(error),
    });
  const follower = follow();
  log.listen({ landed: () => follower.landed() });
  const add = async (events: number) => {
    for (let i = 0; i < events; i++) tallies.add(`s/${i % 7}`);
    await log.drain();
    for (let turn = 0; turn < 20; turn++) await settle();
  };
  const verifier = { name: log.logId, publicKey: rawPublicKey(publicKey) };
  return { disk, clock, log, follower, follow, add, errors, checkpoints, verifier };
}

const sizes = (notes: readonly string[]) => notes.map((note) => parseCheckpoint(note).size);

Deno.test("a checkpoint is signed after 1,000 events, and a minute after fewer", async () => {
  const { clock, log, follower, add, checkpoints, verifier } = await followed();
  await add(999);
  assertEquals(checkpoints, []);
  await add(1);
  assertEquals(sizes(checkpoints), [1_000]);
  await add(5);
  await clock.advanceAsync(60_000);
  assertEquals(sizes(checkpoints), [1_000, 1_005]);
  await clock.advanceAsync(600_000);
  assertEquals(sizes(checkpoints), [1_000, 1_005], "nothing happened, so there is nothing to sign");
  assert(checkpoints.every((note) => isCheckpointBy(note, verifier)));
  await follower.close();
  await log.close();
});

Deno.test("a checkpoint is signed at the end, of everything that is on disk", async () => {
  const { disk, log, follower, add, checkpoints } = await followed();
  await add(42);
  await follower.close();
  assertEquals(sizes(checkpoints), [42]);
  assertEquals(await latestCheckpoint(disk, 0), checkpoints[0]);
  assertEquals(await latestCheckpoint(disk, 0, 41), undefined);
  await log.close();
});

Deno.test("what is signed is what is stored: every event has its proof", async () => {
  const { disk, log, follower, add, checkpoints } = await followed();
  for (const events of [300, 700, 1, 2_500]) await add(events);
  await follower.close();
  const { size, root } = parseCheckpoint(checkpoints.at(-1)!);
  const events = await readAll(log);
  assertEquals(size, events.length);
  for (let i = 0; i < size; i += 97) {
    const proof = await inclusionProof(storedHashes(disk, 0), i, size);
    assert(verifyInclusion(leafHash(events[i]!.bytes), i, size, proof, root));
  }
  await log.close();
});

Deno.test("a follower that begins anew goes on where the last one was", async () => {
  const { disk, log, follower, follow, add, checkpoints } = await followed();
  await add(1_300);
  await follower.close();
  await add(10);
  const next = follow();
  await next.close();
  assertEquals(sizes(checkpoints).slice(-2), [1_300, 1_310]);
  assertEquals(await latestCheckpoint(disk, 0, 1_309), checkpoints.at(-2));
  await log.close();
});

Deno.test("a tree that has grown but was not signed before the process died is signed as it is", async () => {
  const { disk, log, follower, follow, add, checkpoints } = await followed();
  await add(300);
  await follower.close();
  const { versionstamp } = await disk.get(cursorKey(0));
  await disk.commit({
    check: { key: cursorKey(0), versionstamp },
    puts: [{ key: cursorKey(0), value: encodeCursor({ size: 300, checkpoint: 0, checkpoints: 0 }) }],
    deletes: [checkpointKey(0, 300)],
  });
  const [before] = checkpoints.splice(0);
  await follow().close();
  assertEquals(checkpoints, [before]);
  await log.close();
});

Deno.test("a follower whose log was taken over ends, however far the new owner has signed", async () => {
  for (const cursor of [{ size: 300, checkpoint: 300 }, { size: 300, checkpoint: 100 }]) {
    const { disk, log, follower, follow, add, errors, checkpoints } = await followed();
    await add(300);
    await follower.close();
    const { versionstamp } = await disk.get(cursorKey(0));
    await disk.commit({
      check: { key: cursorKey(0), versionstamp },
      puts: [{ key: cursorKey(0), value: encodeCursor({ ...cursor, checkpoints: 1 }) }],
      deletes: [],
    });
    checkpoints.length = 0;
    await follow(() => 200).close();
    assertEquals([errors, checkpoints], [[], []]);
    await log.close();
  }
});

Deno.test("a commit of the tree that fails, or whose outcome is not known, is made good by the next", async () => {
  for (const fault of ["lost_commit", "lost_answer", "doubled"] as const) {
    let faulty!: FaultyStore;
    const { disk, log, clock, follower, add, errors, checkpoints } = await followed((store) =>
      faulty = new FaultyStore(store)
    );
    await add(100);
    faulty.onCommits(fault);
    await follower.flush();
    assertEquals([errors.length, checkpoints.length], [1, 0], fault);
    await add(100);
    await clock.advanceAsync(60_000);
    assertEquals(sizes(checkpoints), [200], fault);
    assertEquals(await latestCheckpoint(disk, 0), checkpoints[0]);
    await follower.close();
    await log.close();
  }
});

Deno.test("a follower signs nothing over a gap in the log", async () => {
  const { disk, log, follower, add, errors, checkpoints } = await followed();
  await add(10);
  const head = await disk.get(["h", 0]);
  const [page] = await disk.list({ prefix: ["0e", 0] }, { limit: 1, reverse: true });
  await disk.commit({
    check: { key: ["h", 0], versionstamp: head.versionstamp },
    puts: [],
    deletes: [page!.key],
  });
  await follower.close();
  assertEquals(checkpoints, []);
  assertMatch(String(errors[0]), /The log has a gap: event \d+ cannot be read/);
  assertEquals((await disk.get(checkpointKey(0, 10))).value, null);
  await log.close().catch(() => {});
});
