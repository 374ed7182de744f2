import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import { GrowingTree, readEdge } from "../../../src/events/merkle/growing_tree.ts";
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from "../../../src/events/merkle/proofs.ts";
import { storedHashes } from "../../../src/events/merkle/stored_tree.ts";
import { tileKey } from "../../../src/events/merkle/tiles.ts";
import { emptyRoot, leafHash, nodeHash, splitPoint } from "../../../src/events/merkle/tree_hash.ts";

const hex = (hash: Uint8Array) => Buffer.from(hash).toString("hex");
const entry = (i: number) => new TextEncoder().encode(`entry ${i}`);
const leaf = (i: number) => leafHash(entry(i));

function treeHash(start: number, end: number): Uint8Array {
  if (start === end) return emptyRoot();
  if (end - start === 1) return leaf(start);
  const split = start + splitPoint(end - start);
  return nodeHash(treeHash(start, split), treeHash(split, end));
}

/** Appends leaves up to each of the sizes, stored after each, each time by a tree that was loaded anew. */
async function grow(sizes: readonly number[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  let size = 0;
  let stamp: string | null = null;
  for (const next of sizes) {
    const tree = new GrowingTree(0, await readEdge(store, 0, size));
    while (tree.size < next) tree.append(entry(tree.size));
    const cursor = { key: ["cursor"], value: new Uint8Array() };
    const puts = [...tree.takeChanges(), cursor];
    stamp = await store.commit({ check: { key: cursor.key, versionstamp: stamp }, puts, deletes: [] });
    size = next;
  }
  return store;
}

const anySizes = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 })
  .map((steps) => steps.reduce<number[]>((sizes, step) => [...sizes, (sizes.at(-1) ?? 0) + step], []));

Deno.test("a tree that grew in any steps has the root and the hashes that RFC 9162 defines", async () => {
  await fc.assert(
    fc.asyncProperty(anySizes, fc.nat(), fc.nat(), async (sizes, a, b) => {
      const store = await grow(sizes);
      const size = sizes.at(-1)!;
      const tree = new GrowingTree(0, await readEdge(store, 0, size));
      assertEquals(hex(tree.root()), hex(treeHash(0, size)));
      const hashOf = storedHashes(store, 0);
      const index = a % size;
      const proof = await inclusionProof(hashOf, index, size);
      assertEquals(verifyInclusion(leaf(index), index, size, proof, tree.root()), true);
      const from = b % (size + 1);
      const consistency = await consistencyProof(hashOf, from, size);
      assertEquals(verifyConsistency(from, size, consistency, treeHash(0, from), tree.root()), true);
      assertEquals(hex(await hashOf(0, from)), hex(treeHash(0, from)), "the root at every earlier size");
    }),
    { numRuns: 40 },
  );
});

Deno.test("a tree of more than 65,536 leaves has tiles of three levels, and proofs from a few of them", async () => {
  const size = 65_536 + 700;
  const store = await grow([40_000, size]);
  const tree = new GrowingTree(0, await readEdge(store, 0, size));
  assertEquals(hex(tree.root()), hex(treeHash(0, size)));
  let reads = 0;
  const get = store.get.bind(store);
  store.get = (key) => {
    reads += 1;
    return get(key);
  };
  const proof = await inclusionProof(storedHashes(store, 0), 12_345, size);
  assertEquals(verifyInclusion(leaf(12_345), 12_345, size, proof, tree.root()), true);
  assertEquals(reads <= 5, true, `${reads} reads`);
});

Deno.test("a tile that is missing or too short is told, not guessed", async () => {
  const store = await grow([300]);
  const { versionstamp } = await store.get(["cursor"]);
  await store.commit({
    check: { key: ["cursor"], versionstamp },
    puts: [],
    deletes: [tileKey(0, 0, 1)],
  });
  await assertRejects(() => inclusionProof(storedHashes(store, 0), 299, 300), Error, "tile 1 of level 0");
  await assertRejects(() => readEdge(store, 0, 300), Error, "lacks tile 1 of level 0");
});
