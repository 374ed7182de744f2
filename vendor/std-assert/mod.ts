/**
 * `@std/assert` where JSR is out of reach: the upstream code as npm carries it (`deno-std`, MIT), with types.
 *
 * Linked by `deno.json`, whose import map keeps the upstream name and range. Delete the `links` entry to use JSR.
 *
 * @module
 */
// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
