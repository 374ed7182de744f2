import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import {
  consistencyProof,
  inclusionProof,
  type SubtreeHash,
  verifyConsistency,
  verifyInclusion,
} from "../../../src/events/merkle/proofs.ts";
import { emptyRoot, leafHash, nodeHash, splitPoint } from "../../../src/events/merkle/tree_hash.ts";

const hex = (hash: Uint8Array) => Buffer.from(hash).toString("hex");

/** The definition of RFC 9162, section 2.1.1, word for word. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leafHash(leaves[0]!);
  const split = splitPoint(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

const entries = Array.from({ length: 70 }, (_, i) => new TextEncoder().encode(`entry ${i}`));
const rootOf = (size: number) => treeHash(entries.slice(0, size));
const hashOf: SubtreeHash = (start, end) => Promise.resolve(treeHash(entries.slice(start, end)));

const anySize = fc.integer({ min: 0, max: entries.length });

/** The entries and roots that the implementations of RFC 6962 and 9162 are commonly tested with. */
const KNOWN = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((text) => new Uint8Array(Buffer.from(text, "hex")));

Deno.test("roots are those of the trees that RFC 9162's implementations are tested with", () => {
  const roots = KNOWN.map((_, i) => hex(treeHash(KNOWN.slice(0, i + 1))));
  assertEquals(hex(emptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assertEquals(roots, [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]);
});

Deno.test("an inclusion proof proves its leaf at its place in its tree, and nothing else", async () => {
  for (let size = 1; size <= entries.length; size++) {
    for (let index = 0; index < size; index += 1 + (size >> 3)) {
      const proof = await inclusionProof(hashOf, index, size);
      const leaf = leafHash(entries[index]!);
      assert(verifyInclusion(leaf, index, size, proof, rootOf(size)));
      assert(!verifyInclusion(leafHash(entries[(index + 1) % 70]!), index, size, proof, rootOf(size)));
      assert(!verifyInclusion(leaf, index, size, proof, rootOf(size - 1)));
      if (size > 1) assert(!verifyInclusion(leaf, (index + 1) % size, size, proof, rootOf(size)));
    }
  }
});

Deno.test("a consistency proof proves that one tree begins with the other, and nothing else", async () => {
  for (let to = 0; to <= 40; to++) {
    for (let from = 0; from <= to; from++) {
      const proof = await consistencyProof(hashOf, from, to);
      assert(verifyConsistency(from, to, proof, rootOf(from), rootOf(to)), `${from} to ${to}`);
      if (from === 0 || from === to) continue;
      assert(!verifyConsistency(from, to, proof, rootOf(from - 1), rootOf(to)));
      assert(!verifyConsistency(from, to, proof, rootOf(from), rootOf(to - 1)));
    }
  }
});

Deno.test("a proof with anything changed, left out or added proves nothing", async () => {
  const change = fc.record({ at: fc.nat(), how: fc.constantFrom("flip", "drop", "double", "swap") });
  await fc.assert(
    fc.asyncProperty(anySize, anySize, change, async (a, b, { at, how }) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      if (to === 0) return;
      const spoil = (proof: readonly Uint8Array[]): Uint8Array[] | undefined => {
        const spoilt: Uint8Array[] = proof.map((hash) => hash.slice());
        const i = proof.length === 0 ? 0 : at % proof.length;
        if (how === "double") spoilt.splice(i, 0, leafHash(entries[0]!));
        else if (proof.length === 0) return undefined;
        else if (how === "flip") spoilt[i]![at % 32]! ^= 1 << (at % 8);
        else if (how === "drop") spoilt.splice(i, 1);
        else if (proof.length > 1) spoilt.reverse();
        else return undefined;
        return spoilt;
      };
      const index = Math.min(from, to - 1);
      const inclusion = spoil(await inclusionProof(hashOf, index, to));
      const leaf = leafHash(entries[index]!);
      if (inclusion) assert(!verifyInclusion(leaf, index, to, inclusion, rootOf(to)));
      const consistency = spoil(await consistencyProof(hashOf, from, to));
      if (consistency) assert(!verifyConsistency(from, to, consistency, rootOf(from), rootOf(to)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("proofs of what is not there are refused", async () => {
  await assertRejects(() => inclusionProof(hashOf, 5, 5), RangeError, "has no leaf 5");
  await assertRejects(() => inclusionProof(hashOf, -1, 5), RangeError);
  await assertRejects(() => inclusionProof(hashOf, 0.5, 5), RangeError);
  await assertRejects(() => consistencyProof(hashOf, 6, 5), RangeError, "does not begin with one of 6");
  assert(!verifyInclusion(leafHash(entries[0]!), 5, 5, [], rootOf(5)));
  assert(!verifyConsistency(6, 5, [], rootOf(6), rootOf(5)));
});
