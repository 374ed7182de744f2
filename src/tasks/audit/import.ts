/**
 * `deno task audit import`: makes an export a log again, in a file or on a KV Connect server.
 *
 * The log is built in a file of its own and verified there; only then does it get its name, or is it sent.
 *
 * @module
 */
import { Command } from "commander";
import { dirname } from "node:path";
import { carryLog } from "../../audit/export/carry_log.ts";
import { importLog } from "../../audit/export/import_log.ts";
import { DamagedExportError, readManifest } from "../../audit/export/manifest.ts";
import { loadConfig } from "../../config/config.ts";
import { createKvFile } from "../../config/kv_file.ts";
import { monotonicIds } from "../../events/ids.ts";
import { settleKvFile } from "../../events/kv_file_copy.ts";
import { KvStore } from "../../events/kv_store.ts";
import { SqliteSnapshot } from "../../events/sqlite_snapshot.ts";
import { writtenTo } from "../../wiring/disk_error.ts";
import { lockStore } from "../../wiring/store_lock.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./exit_codes.ts";
import { checkpointsIn, keysNamed, several } from "./keys.ts";
import { isAddress } from "./open_log.ts";
import { mustBeFree, removeKvFile } from "./new_file.ts";
import { withProgress } from "./progress_bar.ts";
import { verifyLog } from "./verify_log.ts";
import { isValid, toJson, toText, type VerifyReport } from "./verify_report.ts";

interface Options {
  readonly kv?: string;
  readonly key: readonly string[];
  readonly checkpoint: readonly string[];
  readonly json?: true;
}

export function importCommand(): Command {
  return new Command("import")
    .description(
      "Makes an export a log again, with the same bytes and checkpoints, and everything folded from them. Takes the lock.\n" +
        `Exits ${FINE} when it is there, ${NOT_FINE} when the export is damaged or does not verify and nothing was written, ${COULD_NOT} when it could not be done.`,
    )
    .argument("<folder>", "an export")
    .option(
      "--kv <path>",
      "the file to make, which must not be there, or the address of an empty KV Connect store (default: the file of the\n" +
        "configuration)",
    )
    .option("--key <key>", "who must have signed, as for audit verify; may be repeated", several, [])
    .option("--checkpoint <file>", "checkpoints that were kept elsewhere, as for audit verify", several, [])
    .option("--json", "one JSON object in place of the text")
    .action(async (folder: string, options: Options) => {
      const path = options.kv ?? loadConfig(Deno.env).kvPath;
      const report = await (isAddress(path) ? send : build)(folder, path, options).catch((error) => {
        if (!(error instanceof DamagedExportError)) throw error;
        console.error(`${error.message}\nNothing was imported`);
        if (options.json) console.log(JSON.stringify({ imported: null, damage: error.message }, null, 2));
        Deno.exit(NOT_FINE);
      });
      const valid = isValid(report);
      const end = valid ? `Imported into ${path}` : "Nothing was imported, since the export does not verify";
      console.log(
        options.json
          ? JSON.stringify({ imported: valid ? path : null, ...toJson({ ...report, path }) }, null, 2)
          : `${toText({ ...report, path: folder })}\n${end}`,
      );
      Deno.exit(valid ? FINE : NOT_FINE);
    });
}

/** Into a file, which appears whole or not at all. */
async function build(folder: string, path: string, options: Options): Promise<VerifyReport> {
  await mustBeFree(path);
  await readManifest(folder);
  await Deno.mkdir(dirname(path), { recursive: true });
  const unlock = await lockStore(path);
  const unfinished = `${path}.importing`;
  try {
    const report = await writtenTo(path, buildAt(unfinished, folder, options));
    if (isValid(report)) {
      await mustBeFree(path);
      await Deno.rename(unfinished, path);
    }
    return report;
  } finally {
    await removeKvFile(unfinished);
    unlock();
  }
}

/** To a KV Connect server, by way of a file here. */
async function send(folder: string, address: string, options: Options): Promise<VerifyReport> {
  const dir = await Deno.makeTempDir({ prefix: "daybook_import_" });
  try {
    const built = `${dir}/daybook.kv`;
    const report = await writtenTo(built, buildAt(built, folder, options));
    if (!isValid(report)) return report;
    const { log_id, events, root } = await readManifest(folder);
    const [from, to] = [SqliteSnapshot.open(built), new KvStore(await Deno.openKv(address))];
    try {
      await withProgress((onProgress) =>
        carryLog(
          from,
          to,
          `${log_id} ${events} ${root}`,
          (done) => onProgress({ of: "entries sent", done, total: null }),
        )
      );
    } finally {
      from.close();
      to.close();
    }
    return report;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function buildAt(path: string, folder: string, { key, checkpoint }: Options): Promise<VerifyReport> {
  const [keys, outside] = [await keysNamed(key), await checkpointsIn(checkpoint)];
  await removeKvFile(path);
  await createKvFile(path);
  const store = new KvStore(await Deno.openKv(path));
  try {
    await withProgress((onProgress) =>
      importLog(folder, store, { newId: monotonicIds(Date.now), onProgress })
    );
  } finally {
    store.close();
  }
  settleKvFile(path);
  return await verifyLog(path, { keysOf: () => keys, outside });
}
