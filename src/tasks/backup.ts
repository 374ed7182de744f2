/**
 * `deno task backup`: a consistent copy of the log's file beside a running server, verified before it gets its name.
 *
 * @module
 */
import { Command } from "commander";
import { dirname } from "node:path";
import { type Config, loadConfig } from "../config/config.ts";
import { CopyError, copyKvFile } from "../events/kv_file_copy.ts";
import { writtenTo } from "../wiring/disk_error.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./audit/exit_codes.ts";
import { ownKeys } from "./audit/keys.ts";
import { mustBeNew } from "./audit/new_file.ts";
import { withProgress } from "./audit/progress_bar.ts";
import { verifyLog } from "./audit/verify_log.ts";
import { isValid, toJson, toText, type VerifyReport } from "./audit/verify_report.ts";
import { begin, defaultPath, removeLeftovers } from "./backup/unfinished.ts";
import { runCommand } from "./command_line.ts";

interface Options {
  readonly out?: string;
  readonly json?: true;
}

const program = new Command("deno task backup")
  .description(
    "Copies the log's file in one state, beside a running server, and verifies the copy. The signing key is in no backup.\n" +
      `Exits ${FINE} when the backup is there, ${NOT_FINE} when the log does not verify and none was kept, ${COULD_NOT} when it could not be made.`,
  )
  .option("--out <file>", "where to; it must not be there yet (default: <data>/backups/daybook-<time>.kv)")
  .option("--json", "one JSON object in place of the text")
  .action(async ({ out, json }: Options) => {
    const config = loadConfig(Deno.env);
    const path = out ?? defaultPath(`${config.dataDir}/backups`, new Date());
    await mustBeNew(path);
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await removeLeftovers(dirname(path));
    const report = await writtenTo(path, make(config, path));
    const isKept = isValid(report);
    const named = { ...report, path: isKept ? path : config.kvPath };
    const end = isKept ? `Backup: ${path}` : "No backup was kept, since the log does not verify";
    console.log(
      json
        ? JSON.stringify({ backup: isKept ? path : null, ...toJson(named) }, null, 2)
        : `${toText(named)}\n${end}`,
    );
    if (!isKept) Deno.exitCode = NOT_FINE;
  });

/** The backup is at `path` when what is reported is valid. */
async function make(config: Config, path: string): Promise<VerifyReport> {
  const unfinished = await begin(path);
  try {
    // One that ended just before may have made it.
    await mustBeNew(path);
    await withProgress((onProgress) =>
      copyKvFile(config.kvPath, unfinished.path, (done, total) => onProgress({ of: "pages", done, total }))
    ).catch((error) => {
      throw error instanceof CopyError
        ? error
        : new Error(`Cannot copy ${config.kvPath} to ${path}: ${error.message}`, { cause: error });
    });
    const report = await verifyLog(unfinished.path, { keysOf: (head) => ownKeys(config, head) });
    if (isValid(report)) {
      await mustBeNew(path);
      await Deno.rename(unfinished.path, path);
    }
    return report;
  } finally {
    await unfinished.end();
  }
}

await runCommand(program);
