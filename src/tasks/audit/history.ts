/**
 * `deno task audit history`: a job's timeline, or its path through the machine as a picture.
 *
 * @module
 */
import { Command } from "commander";
import { readHistory } from "../../audit/job_history.ts";
import { mermaidPath, timelineOf } from "../../audit/timeline.ts";
import { COULD_NOT, FINE } from "./exit_codes.ts";
import { stepJson, timelineText } from "./history_report.ts";
import { withProgress } from "./progress_bar.ts";
import { KV_OPTION, withLog } from "./open_log.ts";

interface Options {
  readonly kv?: string;
  readonly mermaid?: true;
  readonly json?: true;
}

export function historyCommand(): Command {
  return new Command("history")
    .description(
      "Prints what happened to a job, from the log itself; also of a job that was deleted.\n" +
        `Exits ${FINE}, or ${COULD_NOT} when there is no such job or log.`,
    )
    .argument("<job>", "the job's id")
    .option(...KV_OPTION)
    .option("--mermaid", "its path through the machine, as a Mermaid state diagram")
    .option("--json", "one JSON object in place of the text")
    .action(async (job: string, { kv, mermaid, json }: Options) => {
      const { logId, history } = await withLog(
        kv,
        (store) =>
          withProgress((onProgress) =>
            readHistory(store, job, (done, total) => onProgress({ of: "events", done, total }))
          ),
      );
      const steps = timelineOf(history.map(({ event }) => event));
      const { job_type, queue } = history[0]!.event.data as { job_type?: string; queue?: string };
      if (mermaid) console.log(mermaidPath(steps));
      else if (json) {
        const status = steps.at(-1)!.to;
        const events = steps.map(stepJson);
        console.log(JSON.stringify({ log_id: logId, job_id: job, job_type, queue, status, events }, null, 2));
      } else {
        console.log(`Job ${job}: ${job_type} in queue ${queue}, ${steps.at(-1)!.to}; log ${logId}`);
        console.log(timelineText(steps));
      }
    });
}
