import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { consistencyProof, inclusionProof } from "../../src/events/merkle/proofs.ts";
import { formatVerifierKey, rawPublicKey } from "../../src/events/merkle/signed_note.ts";
import { storedHashes } from "../../src/events/merkle/stored_tree.ts";
import { TreeFollower } from "../../src/events/merkle/tree_follower.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { openLog, readAll } from "../events/recorded_log.ts";

const GO = "go";
const { privateKey } = generateKeyPairSync("ed25519");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** What Go's verifier is given about a log of 1,500 events, of which it saw a checkpoint at 700. */
async function evidence() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const { log, tallies } = await openLog(store, { clock });
  const checkpoints: string[] = [];
  const name = log.logId;
  const follower = new TreeFollower({
    store,
    partition: 0,
    position: () => log.position,
    signer: { name, privateKey },
    clock,
    onCheckpoint: (note) => checkpoints.push(note),
    onError: (error) => {
      throw error;
    },
  });
  for (const events of [700, 800]) {
    for (let i = 0; i < events; i++) tallies.add(`s/${i % 7}`);
    await log.drain();
    await follower.flush();
  }
  const events = await readAll(log);
  const hashOf = storedHashes(store, 0);
  const entries = await Promise.all([0, 699, 700, 1_499].map(async (position) => ({
    position,
    bytes: base64(events[position]!.bytes),
    proof: (await inclusionProof(hashOf, position, 1_500)).map(base64),
  })));
  const consistency = (await consistencyProof(hashOf, 700, 1_500)).map(base64);
  await follower.close();
  await log.close();
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  return {
    verifier_key: formatVerifierKey({ name, publicKey }),
    old_checkpoint: checkpoints[0]!,
    new_checkpoint: checkpoints[1]!,
    consistency,
    entries,
  };
}

async function verify(input: unknown): Promise<string> {
  const child = new Deno.Command(GO, {
    args: ["run", "."],
    cwd: fileURLToPath(import.meta.resolve("./go_verifier")),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout).trim();
  return said || new TextDecoder().decode(stderr);
}

async function isInstalled(): Promise<boolean> {
  try {
    return (await new Deno.Command(GO, { args: ["version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

const installed = await isInstalled();

Deno.test({
  name: installed
    ? "Go's tlog and note packages verify checkpoints, inclusion and consistency, and refuse what was changed"
    : "Go's tlog and note packages verify the log (skipped: Go is not installed, `apt-get install golang-go`)",
  ignore: !installed,
  fn: async () => {
    const input = await evidence();
    assertEquals(await verify(input), "verified");

    const entry = input.entries[1]!;
    const forged = { ...entry, bytes: base64(new TextEncoder().encode("forged")) };
    assertStringIncludes(await verify({ ...input, entries: [forged] }), "entry 699");
    assertStringIncludes(await verify({ ...input, consistency: input.consistency.slice(1) }), "consistency");
    const larger = input.new_checkpoint.replace("\n1500\n", "\n1501\n");
    assertStringIncludes(await verify({ ...input, new_checkpoint: larger }), "new checkpoint");
    assert(input.old_checkpoint.split("\n")[1] === "700");
  },
});
