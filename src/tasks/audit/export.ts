/**
 * `deno task audit export`: the whole log as compressed files with a manifest.
 *
 * @module
 */
import { Command } from "commander";
import { exportLog } from "../../audit/export/export_log.ts";
import { treeThread } from "../../audit/tree_thread.ts";
import { writtenTo } from "../../wiring/disk_error.ts";
import { COULD_NOT, FINE } from "./exit_codes.ts";
import { KV_OPTION, withLog } from "./open_log.ts";
import { withProgress } from "./progress_bar.ts";
import { count } from "./report.ts";

interface Options {
  readonly kv?: string;
  readonly cloudevents?: true;
  readonly json?: true;
}

export function exportCommand(): Command {
  return new Command("export")
    .description(
      "Writes the whole log as NDJSON of the exact stored bytes, compressed with gzip, with all checkpoints and a manifest.\n" +
        "In a folder of an earlier export of the same log, also of one that was cut off, it writes only what is missing.\n" +
        `Exits ${FINE} when the export is whole, ${COULD_NOT} when it could not be made.`,
    )
    .argument("<folder>", "where to")
    .option(...KV_OPTION)
    .option("--cloudevents", "the events as CloudEvents 1.0, for others to read; that cannot be imported")
    .option("--json", "one JSON object in place of the text")
    .action(async (folder: string, { kv, cloudevents, json }: Options) => {
      const { manifest, kept } = await withLog(
        kv,
        (store) =>
          withProgress((onProgress) =>
            writtenTo(
              folder,
              exportLog(store, folder, {
                cloudEvents: cloudevents ?? false,
                grower: treeThread,
                onProgress: (done, total) => onProgress({ of: "events", done, total }),
              }),
            )
          ),
      );
      const { log_id, events, root, segments } = manifest;
      console.log(
        json
          ? JSON.stringify({ folder, kept_segments: kept, ...manifest }, null, 2)
          : `${folder} has ${count(events, "event")} of log ${log_id} in ${count(segments.length, "file")}` +
            `${kept > 0 ? `, ${kept} of them there before` : ""}; root ${root}`,
      );
    });
}
