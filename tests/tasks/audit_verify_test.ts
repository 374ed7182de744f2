/**
 * `deno task audit verify` as an auditor runs it: on copies, with and without keys, and beside a running server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { formatVerifierKey } from "../../src/events/merkle/signed_note.ts";
import { seal } from "../audit/support/sealed.ts";
import { tamper, viewsOf } from "../audit/support/random_log.ts";
import { ServerProcess } from "../support/server_process.ts";
import { audit, throughKv, withFile } from "./support/audit_runs.ts";

async function verifyJson(args: readonly string[], env: Record<string, string> = {}) {
  const { code, out, err } = await audit(["verify", "--json", ...args], env);
  assert(out.startsWith("{"), err);
  return { code, ...JSON.parse(out) };
}

Deno.test("audit verify exits 0 on a file that nobody touched, and says what it could check", async () => {
  await withFile(async (path) => {
    const { key, checkpoint, size } = await throughKv(path, (store) => seal(store, [0.5, 0.9]));
    const blind = await audit(["verify", "--kv", path]);
    assertEquals(blind.code, 0);
    assert(blind.out.includes(`Sealed: the first ${size} events, by 2 checkpoints; `), blind.out);
    assert(blind.out.includes("could be changed unseen until they are sealed too"), blind.out);
    assert(blind.out.includes("Signatures: not checked, for want of a key (--key)"), blind.out);
    assert(blind.out.includes("Outside checkpoint: none (--checkpoint)"), blind.out);
    assert(blind.out.endsWith("Nothing was changed, and what is shown is what is logged\n"), blind.out);

    await Deno.writeTextFile(`${path}.key`, `${formatVerifierKey(key)}\n`);
    await Deno.writeTextFile(`${path}.checkpoints`, checkpoint + checkpoint);
    const seeing = await audit([
      "verify",
      "--kv",
      path,
      "--key",
      `${path}.key`,
      "--checkpoint",
      `${path}.checkpoints`,
    ]);
    assertEquals(seeing.code, 0, seeing.err);
    assert(seeing.out.includes("Signatures: 4 of 4 checkpoints signed by the key"), seeing.out);
    assert(seeing.out.includes(`Outside checkpoint: of ${size}, ${size} events`), seeing.out);

    const json = await verifyJson(["--kv", path, "--key", formatVerifierKey(key)]);
    assertEquals([json.code, json.valid, json.sealed_events, json.first_offending_position], [
      0,
      true,
      size,
      null,
    ]);
    assertEquals(json.signatures, { keys: [formatVerifierKey(key)], checked: true, right: 2 });
    assertEquals(json.unsealed_events, json.events - size);
  });
});

Deno.test("audit verify exits 1 and names the first position that is not as it was written", async () => {
  await withFile(async (path) => {
    await throughKv(path, (store) => seal(store));
    const position = await throughKv(path, async (store) => {
      const [page] = (await store.list({ prefix: ["0e"] }, { limit: 9 })).slice(1);
      const text = new TextDecoder().decode(page!.value).replace('"actor":"tester"', '"actor":"nobody"');
      await tamper(store, [{ key: page!.key, value: new TextEncoder().encode(text) }]);
      return page!.key[2] as number;
    });
    const { code, out } = await audit(["verify", "--kv", path]);
    assertEquals(code, 1);
    assert(
      out.includes(`position ${position}: the stored bytes are not those that the tree has the hash of`),
      out,
    );
    assert(out.includes(`First offending position: ${position}\n`), out);
    const json = await verifyJson(["--kv", path]);
    assertEquals([json.code, json.valid, json.first_offending_position], [1, false, position]);
  });
});

Deno.test("audit verify passes over an outside checkpoint that was cut off when it was written, and says so", async () => {
  await withFile(async (path) => {
    const { key, checkpoint, size } = await throughKv(path, (store) => seal(store));
    const kept = `${path}.witness`;
    const verify = () =>
      audit(["verify", "--kv", path, "--key", formatVerifierKey(key), "--checkpoint", kept]);
    const cut = checkpoint.slice(0, -20);
    await Deno.writeTextFile(kept, checkpoint + cut);
    const atEnd = await verify();
    assertEquals(atEnd.code, 0, atEnd.out);
    assert(atEnd.err.includes(`${kept}: its last checkpoint was cut off when it was written`), atEnd.err);
    assert(atEnd.out.includes(`Outside checkpoint: of ${size} events`), atEnd.out);

    // Behind a line break, or with more behind it, it was not the writer that left it so.
    for (const altered of [`${checkpoint}${cut}\n`, cut + checkpoint]) {
      await Deno.writeTextFile(kept, altered);
      const { code, err, out } = await verify();
      assert(code !== 0, err + out);
    }
  });
});

Deno.test("audit verify changes nothing, wherever it looks and whatever it finds", async () => {
  await withFile(async (path) => {
    await throughKv(path, (store) => seal(store));
    const views = await throughKv(path, viewsOf);
    assertEquals((await audit(["verify", "--kv", path])).code, 0);
    assertEquals(await throughKv(path, viewsOf), views);
    const left = [...Deno.readDirSync(path.replace(/\/[^/]*$/, ""))].map(({ name }) => name);
    assertEquals(left.filter((name) => !name.startsWith("daybook.kv")), []);
  });
});

Deno.test("audit verify exits 2 with a line that says why when it cannot look", async () => {
  await withFile(async (path) => {
    const none = `${path}.none`;
    await Deno.writeTextFile(`${path}.text`, "nonsense");
    const cases: [string[], string][] = [
      [["--kv", none], `Cannot read ${none}: there is no such file`],
      [["--kv", path, "--key", none], `Cannot read the key ${none}: there is no such file`],
      [["--kv", path, "--key", `${path}.text`], "It is no Ed25519 verifier key"],
      [["--kv", path, "--checkpoint", none], `Cannot read the checkpoint ${none}: there is no such file`],
      [["--kv", path, "--checkpoint", `${path}.text`], "holds no checkpoint"],
      [["--kv", path, "--key", "other+00000000+AAAA"], "It is no Ed25519 verifier key"],
      [["--show", "0"], "error:"],
      [["surplus"], "error:"],
    ];
    for (const [args, message] of cases) {
      const { code, out, err } = await audit(["verify", ...args]);
      assertEquals([code, out], [2, ""], args.join(" "));
      assert(err.includes(message), err);
    }
  });
});

Deno.test("audit verify beside a server uses its key; an outside checkpoint shows that an old copy was put back", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "daybook_audit_" });
  try {
    const env = {
      DAYBOOK_LOG_LEVEL: "ERROR",
      DAYBOOK_HANDLERS: fileURLToPath(new URL("../process/handlers", import.meta.url)),
    };
    await using server = await ServerProcess.start({ dataDir, env });
    const create = (count: number) =>
      server.post("/background-jobs/batch", {
        jobs: Array.from({ length: count }, () => ({ job_type: "tick", payload: { ms: 0 } })),
      });
    await create(500);
    const path = `${dataDir}/daybook.kv`;
    const beside = await verifyJson([], { DAYBOOK_DATA: dataDir });
    assertEquals([beside.code, beside.kv, beside.signatures.checked], [0, path, true]);

    const copy = `${dataDir}/copy.kv`;
    const database = new DatabaseSync(path, { readOnly: true });
    database.prepare("VACUUM INTO ?").run(copy);
    database.close();
    assertEquals((await verifyJson(["--kv", copy])).code, 0);
    await create(1000);
    await create(1000);
    await server.end("SIGTERM");
    const after = await verifyJson([], { DAYBOOK_DATA: dataDir });
    assertEquals([after.code, after.unsealed_events, after.signatures.right], [0, 0, after.checkpoints]);

    const last = await throughKv(
      path,
      (store) => store.list({ prefix: ["tk"] }, { limit: 1, reverse: true }),
    );
    await Deno.writeFile(`${dataDir}/kept.checkpoint`, last[0]!.value);
    const rolledBack = await verifyJson(["--kv", copy, "--checkpoint", `${dataDir}/kept.checkpoint`]);
    assertEquals([rolledBack.code, rolledBack.first_offending_position], [1, rolledBack.events]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("audit verify --help tells every option", async () => {
  const { code, out } = await audit(["verify", "--help"]);
  assertEquals(code, 0);
  for (const option of ["--kv", "--key", "--checkpoint", "--show", "--json"]) {
    assert(out.includes(option), out);
  }
});
