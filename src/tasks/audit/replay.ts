/**
 * `deno task audit replay`: folds the whole log, compares everything shown with it, and repairs it when told to.
 *
 * @module
 */
import { Command, Option } from "commander";
import { repair, UnlawfulLogError } from "../../audit/repair.ts";
import { type Replay, replay } from "../../audit/replay.ts";
import { loadConfig } from "../../config/config.ts";
import { KvStore } from "../../events/kv_store.ts";
import { SqliteSnapshot } from "../../events/sqlite_snapshot.ts";
import { writtenTo } from "../../wiring/disk_error.ts";
import { lockStore } from "../../wiring/store_lock.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./exit_codes.ts";
import { isAddress, KV_OPTION, withLog } from "./open_log.ts";
import { positive } from "./positive.ts";
import { withProgress } from "./progress_bar.ts";
import { isEqual, type ReplayReport, toJson, toText } from "./replay_report.ts";

interface Options {
  readonly kv?: string;
  readonly repair?: true;
  readonly show: number;
  readonly json?: true;
}

export function replayCommand(): Command {
  return new Command("replay")
    .description(
      "Folds the whole log and compares every row, index and count with it, in one state beside a running server.\n" +
        `Exits ${FINE} when they are equal, ${NOT_FINE} when they are not, ${COULD_NOT} when that could not be found out.`,
    )
    .option(...KV_OPTION)
    .option("--repair", "write what differs anew from the log; needs the server to be stopped")
    .addOption(new Option("--show <n>", "how many differences to name").argParser(positive).default(20))
    .option("--json", "one JSON object in place of the text")
    .action(async (options: Options) => {
      const report = await run(options);
      console.log(options.json ? JSON.stringify(toJson(report), null, 2) : toText(report));
      Deno.exit(isEqual(report) ? FINE : NOT_FINE);
    });
}

async function run({ kv, repair: repairs, show }: Options): Promise<ReplayReport> {
  const path = kv ?? loadConfig(Deno.env).kvPath;
  if (!repairs) return await compare(path, show);
  if (isAddress(path)) throw new Error("error: --repair is for files");
  // Before the lock, which leaves a file behind wherever it is tried.
  SqliteSnapshot.open(path).close();
  const unlock = await lockStore(path);
  try {
    const report = await compare(path, show);
    return isEqual(report) ? report : await repaired(report, show);
  } finally {
    unlock();
  }
}

async function repaired(report: ReplayReport, show: number): Promise<ReplayReport> {
  const { path, found } = report;
  try {
    const changes = await writtenTo(path, repairFile(path, found));
    const { found: left } = await compare(path, show);
    return { ...report, repaired: { changes, left } };
  } catch (error) {
    if (error instanceof UnlawfulLogError) return { ...report, refusal: error.message };
    throw error;
  }
}

function compare(kv: string, show: number): Promise<ReplayReport> {
  const began = performance.now();
  return withLog(kv, async (store, path) => {
    const found = await withProgress((onProgress) => replay(store, { show, onProgress, now: Date.now() }));
    return { path, found, seconds: (performance.now() - began) / 1000 };
  });
}

/** No snapshot of the file may be open meanwhile. */
async function repairFile(path: string, found: Replay) {
  const store = new KvStore(await Deno.openKv(path));
  try {
    return await withProgress((onProgress) => repair(store, found, { onProgress, now: Date.now() }));
  } finally {
    store.close();
  }
}
