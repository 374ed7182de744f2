import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { LogProofs } from "../../src/audit/log_proofs.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { isCheckpointBy, parseCheckpoint } from "../../src/events/merkle/checkpoint.ts";
import { verifyConsistency, verifyInclusion } from "../../src/events/merkle/proofs.ts";
import { formatVerifierKey, parseVerifierKey, rawPublicKey } from "../../src/events/merkle/signed_note.ts";
import { TreeFollower } from "../../src/events/merkle/tree_follower.ts";
import { leafHash } from "../../src/events/merkle/tree_hash.ts";
import { openLog, readAll } from "../events/recorded_log.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { problemIn, READER, testApp } from "./support/test_app.ts";

const AUDIT = "/api/system/audit";
const { privateKey } = generateKeyPairSync("ed25519");
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

/** The API over a log of tallies with a tree. */
async function auditedLog(events: number) {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const { log, tallies } = await openLog(store, { clock });
  const tree = new TreeFollower({
    store,
    partition: 0,
    position: () => log.position,
    signer: { name: log.logId, privateKey },
    clock,
    onError: (error) => {
      throw error;
    },
  });
  const add = async (count: number) => {
    for (let i = 0; i < count; i++) tallies.add(`s/${i % 7}`);
    await log.drain();
  };
  await add(events);
  const proofs = new LogProofs({
    store,
    partition: 0,
    position: () => log.position,
    catchUp: () => tree.flush(),
    treeSize: () => tree.size,
  });
  const verifierKey = formatVerifierKey({
    name: log.logId,
    publicKey: rawPublicKey(createPublicKey(privateKey)),
  });
  const { call } = testApp({ audit: { proofs, verifierKey } });
  const get = async (path: string) => {
    const response = await call("GET", `${AUDIT}/${path}`);
    assertEquals(response.status, 200, path);
    return response;
  };
  const close = async () => {
    await tree.close();
    await log.close();
  };
  return { log, tree, add, call, get, close };
}

Deno.test("a stranger's tools verify the checkpoint with the key, and every event by its stored bytes", async () => {
  const { log, tree, get, close } = await auditedLog(300);
  await tree.flush();
  const verifier = parseVerifierKey(await (await get("key")).text());
  const note = await (await get("checkpoint")).text();
  assert(isCheckpointBy(note, verifier));
  const { size, root } = parseCheckpoint(note);
  assertEquals(size, 300);

  const lines = (await (await get("entries?start=120&end=123")).text()).split("\n");
  assertEquals(lines.length, 4, "each line ends");
  const stored = (await readAll(log)).map(({ bytes }) => new TextDecoder().decode(bytes));
  assertEquals(lines.slice(0, 3), stored.slice(120, 123));
  for (const [i, line] of lines.slice(0, 3).entries()) {
    const proof = await (await get(`inclusion?position=${120 + i}&size=300`)).json();
    const leaf = leafHash(new TextEncoder().encode(line));
    assertEquals(proof.leaf_hash, Buffer.from(leaf).toString("base64"));
    assert(verifyInclusion(leaf, 120 + i, size, proof.hashes.map(bytes), root));
  }
  await close();
});

Deno.test("two checkpoints are proved to be of one log that only grew", async () => {
  const { tree, add, get, close } = await auditedLog(70);
  await tree.flush();
  const old = parseCheckpoint(await (await get("checkpoint")).text());
  await add(1_000);
  await tree.flush();
  const young = parseCheckpoint(await (await get("checkpoint")).text());
  const proof = await (await get(`consistency?from=${old.size}&to=${young.size}&partition=0`)).json();
  assert(verifyConsistency(old.size, young.size, proof.hashes.map(bytes), old.root, young.root));
  assertEquals([bytes(proof.from_root), bytes(proof.to_root)], [old.root, young.root]);
  await close();
});

Deno.test("what no checkpoint covers yet can be proved at once", async () => {
  const { get, close } = await auditedLog(5);
  const proof = await (await get("inclusion?position=4&size=5")).json();
  const { root } = parseCheckpoint(await (await get("checkpoint")).text());
  assertEquals(bytes(proof.root), root);
  await close();
});

Deno.test("entries come at most 1,000 and 4 MiB at a time, from the start on", async () => {
  const { get, close } = await auditedLog(1_500);
  const lines = (await (await get("entries?start=100&end=1500")).text()).trimEnd().split("\n");
  assertEquals(lines.length, 1_000);
  assertEquals(JSON.parse(lines[0]!).position, 100);
  await close();
});

Deno.test("without a checkpoint there is none to show", async () => {
  const { call, close } = await auditedLog(5);
  assertStringIncludes(
    (await problemIn(await call("GET", `${AUDIT}/checkpoint`), 404)).detail,
    "no checkpoint yet",
  );
  await close();
});

Deno.test("what lies beyond the log, and what is no place in it, is told and changes nothing", async () => {
  const { call, close } = await auditedLog(5);
  for (
    const [path, parameter, message] of [
      ["inclusion?position=5&size=5", "size", "The first 5 events have none at position 5"],
      ["inclusion?position=0&size=6", "size", "The log has 5 events, fewer than 6"],
      ["consistency?from=4&to=3", "to", "The first 3 events do not begin with the first 4"],
      ["consistency?from=0&to=6", "to", "The log has 5 events, fewer than 6"],
      ["entries?start=3&end=3", "end", "The log has 5 events, none from 3 up to 3"],
      ["entries?start=0&end=6", "end", "The log has 5 events, none from 0 up to 6"],
      ["inclusion?position=-1&size=5", "position", "must be a whole number"],
      ["inclusion?size=5", "position", "missing from query"],
      ["entries?start=0&end=1&partition=1", "partition", "must be a whole number from 0 to 0"],
      ["checkpoint?size=5", "size", "unknown parameter 'size'"],
    ] as const
  ) {
    const { errors } = await problemIn(await call("GET", `${AUDIT}/${path}`), 422);
    const [error] = errors!;
    assertEquals((error as { parameter: string }).parameter, parameter, path);
    assertStringIncludes(error!.message, message);
  }
  await close();
});

Deno.test("only a token with the scope audit:read may read", async () => {
  const { call, close } = await auditedLog(5);
  await problemIn(await call("GET", `${AUDIT}/key`, undefined, { token: READER }), 403);
  await problemIn(await call("GET", `${AUDIT}/key`, undefined, { token: null }), 401);
  await close();
});
