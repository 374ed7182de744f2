/**
 * `deno task restore`: begins a new log from a backup, once it has verified.
 *
 * @module
 */
import { Command } from "commander";
import { dirname } from "node:path";
import { beginNewLog } from "../audit/restored_log.ts";
import { loadConfig } from "../config/config.ts";
import { monotonicIds } from "../events/ids.ts";
import { copyKvFile, settleKvFile } from "../events/kv_file_copy.ts";
import { KvStore } from "../events/kv_store.ts";
import { writtenTo } from "../wiring/disk_error.ts";
import { lockStore } from "../wiring/store_lock.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./audit/exit_codes.ts";
import { checkpointsIn, keysNamed, ownKeys, several } from "./audit/keys.ts";
import { mustBeFree, removeKvFile } from "./audit/new_file.ts";
import { withProgress } from "./audit/progress_bar.ts";
import { verifyLog } from "./audit/verify_log.ts";
import { isValid, toJson, toText } from "./audit/verify_report.ts";
import { runCommand } from "./command_line.ts";

interface Options {
  readonly kv?: string;
  readonly key: readonly string[];
  readonly checkpoint: readonly string[];
  readonly json?: true;
}

const program = new Command("deno task restore")
  .description(
    "Verifies a backup and makes it the log's file, as a new log whose first event names the old one. What was running\n" +
      "when the backup was made is interrupted, and tried again, when the server starts. Takes the lock.\n" +
      `Exits ${FINE} when it is restored, ${NOT_FINE} when the backup does not verify, ${COULD_NOT} when it could not be done.`,
  )
  .argument("<backup>", "a file of deno task backup")
  .option("--kv <path>", "the file to make; it must not be there yet (default: that of the configuration)")
  .option(
    "--key <key>",
    "who must have signed, as for audit verify (default: the configured key)",
    several,
    [],
  )
  .option("--checkpoint <file>", "checkpoints that were kept elsewhere, as for audit verify", several, [])
  .option("--json", "one JSON object in place of the text")
  .action(async (backup: string, { kv, key, checkpoint, json }: Options) => {
    const config = loadConfig(Deno.env);
    const path = kv ?? config.kvPath;
    const [keys, outside] = [await keysNamed(key), await checkpointsIn(checkpoint)];
    await mustBeFree(path);
    const report = await verifyLog(backup, {
      keysOf: (head) => keys.length > 0 ? keys : ownKeys(config, head),
      outside,
    });
    if (!isValid(report) || report.found.root === null) {
      console.log(
        json
          ? JSON.stringify({ restored: null, ...toJson(report) }, null, 2)
          : `${toText(report)}\nNothing was restored, since the backup does not verify`,
      );
      Deno.exit(NOT_FINE);
    }
    await Deno.mkdir(dirname(path), { recursive: true });
    const unlock = await lockStore(path);
    try {
      const { checkpoint, root, logId, events } = report.found;
      const newLogId = await writtenTo(path, restore(backup, path, { root: root!, checkpoint }));
      console.log(
        json
          ? JSON.stringify(
            { restored: path, log_id: newLogId, from_log_id: logId, events, verified: toJson(report) },
            null,
            2,
          )
          : `${
            toText(report)
          }\nRestored into ${path} as log ${newLogId}, which goes on after position ${events}`,
      );
    } finally {
      unlock();
    }
  });

async function restore(
  backup: string,
  path: string,
  old: { root: Uint8Array; checkpoint: string | null },
): Promise<string> {
  const unfinished = `${path}.restoring`;
  await removeKvFile(unfinished);
  try {
    await withProgress((onProgress) =>
      copyKvFile(backup, unfinished, (done, total) => onProgress({ of: "pages", done, total }))
    );
    const store = new KvStore(await Deno.openKv(unfinished));
    const { log_id } = await beginNewLog(store, {
      ...old,
      newId: monotonicIds(Date.now),
      now: Date.now(),
    }).finally(() => store.close());
    settleKvFile(unfinished);
    const report = await verifyLog(unfinished, { keysOf: () => [] });
    if (!isValid(report)) throw new Error(`What was restored does not verify:\n${toText(report)}`);
    await mustBeFree(path);
    await Deno.rename(unfinished, path);
    return log_id;
  } finally {
    await removeKvFile(unfinished);
  }
}

await runCommand(program);
