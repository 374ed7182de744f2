/**
 * Optimizes the SQLite file that its argument names and writes the result to its output; run by `sqlite_test.ts` with
 * no more permissions than `deno task start` has.
 *
 * @module
 */
import { optimize } from "./support.ts";

const path = Deno.args[0]!;
console.log(JSON.stringify(await optimize([{ name: "sqlite:app.db", kind: "sqlite", path }]).result));
