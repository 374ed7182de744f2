/**
 * `deno task audit export` and `import` as an operator runs them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { formatVerifierKey } from "../../src/events/merkle/signed_note.ts";
import { seal } from "../audit/support/sealed.ts";
import { viewsOf } from "../audit/support/random_log.ts";
import { audit, throughKv, withFile } from "./support/audit_runs.ts";

Deno.test("audit export and import carry a log into another file, where it verifies and shows the same", async () => {
  await withFile(async (path) => {
    const { key } = await throughKv(path, (store) => seal(store));
    const [folder, copy] = [`${path}.export`, `${path}.imported`];
    const exported = await audit(["export", folder, "--kv", path]);
    assertEquals(exported.code, 0, exported.err);
    assert(/has \d+ events of log \S+ in 1 file; root \S+\n$/.test(exported.out), exported.out);
    const again = await audit(["export", folder, "--kv", path, "--json"]);
    assertEquals([again.code, JSON.parse(again.out).kept_segments], [0, 1]);

    const imported = await audit(["import", folder, "--kv", copy, "--key", formatVerifierKey(key)]);
    assertEquals(imported.code, 0, imported.err + imported.out);
    assert(imported.out.endsWith(`Imported into ${copy}\n`), imported.out);
    const verified = await audit(["verify", "--kv", copy, "--key", formatVerifierKey(key), "--json"]);
    assertEquals([verified.code, JSON.parse(verified.out).signatures.right], [0, 3]);
    // Counts of nothing need not be there, and idempotency keys expire by the clock.
    const isComparable = ({ key }: { key: readonly unknown[] }) => !"cmrix".includes(key[0] as string);
    assertEquals(
      (await throughKv(copy, viewsOf)).filter(isComparable),
      (await throughKv(path, viewsOf)).filter(isComparable),
    );

    const twice = await audit(["import", folder, "--kv", copy]);
    assertEquals(twice.code, 2);
    assert(twice.err.includes(`${copy} is there already`), twice.err);
  });
});

Deno.test("audit import leaves nothing behind when an export is damaged or signed by another key", async () => {
  await withFile(async (path) => {
    const { key } = await throughKv(path, (store) => seal(store));
    const folder = `${path}.export`;
    assertEquals((await audit(["export", folder, "--kv", path])).code, 0);
    const copy = `${path}.imported`;
    const other = formatVerifierKey({ name: key.name, publicKey: new Uint8Array(32).fill(7) });
    const unsigned = await audit(["import", folder, "--kv", copy, "--key", other]);
    assertEquals(unsigned.code, 1, unsigned.err);
    assert(unsigned.out.includes("Nothing was imported, since the export does not verify"), unsigned.out);
    const [segment] = [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith("events-"));
    const bytes = await Deno.readFile(`${folder}/${segment!.name}`);
    await Deno.writeFile(`${folder}/${segment!.name}`, bytes.with(99, bytes[99]! ^ 1));
    const damage = "is damaged: it is not the file that the manifest names";
    const damaged = await audit(["import", folder, "--kv", copy]);
    assertEquals(damaged.code, 1);
    assert(damaged.err.includes(damage), damaged.err);
    const asJson = JSON.parse((await audit(["import", folder, "--kv", copy, "--json"])).out);
    assertEquals([asJson.imported, asJson.damage.includes(damage)], [null, true]);
    const none = await audit(["import", `${path}.none`, "--kv", copy]);
    assertEquals(none.code, 2);
    assert(none.err.includes("is not a finished export: there is no manifest.json"), none.err);
    const left = [...Deno.readDirSync(path.replace(/\/[^/]*$/, ""))].map(({ name }) => name);
    assertEquals(left.filter((name) => name.includes("imported") && !name.endsWith(".lock")), []);
  });
});
