/**
 * What Deno KV takes, embedded and over KV Connect.
 *
 * In one commit 1000 mutations, 800 KiB, and of that 80 KiB of keys; in a value 64 KiB.
 *
 * @module
 */

/** What a batch takes of a commit; the rest is for the head, and for what is added when it is sealed. */
export const MOST_IN_BATCH = { mutations: 950, keyBytes: 72 * 1024, bytes: 760 * 1024 };

/** What a value holds at most. */
export const MOST_IN_VALUE = 60 * 1024;
