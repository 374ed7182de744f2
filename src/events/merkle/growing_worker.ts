/**
 * The inside of the thread that grows trees.
 *
 * Its SHA-256 is Noble's: Node's is faster, but leaves garbage that here grows to 80 MB before it is collected.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { sha256 } from "@noble/hashes/sha2.js";
import { grownBy, type GrowthStep } from "./growth_step.ts";
import { treeHashes } from "./tree_hash.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const fresh = sha256.create();
const used = fresh.clone();
// A new state for each hash is a buffer and a view more: some 12 % of this thread's time.
const hashes = treeHashes((bytes) => fresh._cloneInto(used).update(bytes).digest());

scope.onmessage = ({ data }: MessageEvent<GrowthStep>) => scope.postMessage(grownBy(data, hashes));
