/**
 * `deno task audit check`: whether a proof holds, with no database and no server.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Command } from "commander";
import { checkProof, parseProof, type ProofVerdict } from "../../audit/job_proof.ts";
import { timelineOf } from "../../audit/timeline.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./exit_codes.ts";
import { stepJson, timelineText } from "./history_report.ts";
import { keysNamed, several, textOf } from "./keys.ts";
import { count, number } from "./report.ts";

interface Options {
  readonly key: readonly string[];
  readonly json?: true;
}

export function checkCommand(): Command {
  return new Command("check")
    .description(
      "Checks a file of deno task audit prove, offline, against the log's public key.\n" +
        `Exits ${FINE} when it holds, ${NOT_FINE} when it does not, ${COULD_NOT} when it is no proof.`,
    )
    .argument("<file>", "the proof")
    .requiredOption(
      "--key <key>",
      "who may have signed: '<name>+<id>+<base64>' as GET /audit/key gives it, or a file with such lines; may be repeated",
      several,
      [],
    )
    .option("--json", "one JSON object in place of the text")
    .action(async (file: string, { key, json }: Options) => {
      if (key.length === 0) throw new Error("error: say with --key whose signature the proof must have");
      const keys = await keysNamed(key);
      const verdict = checkProof(parseProof(await textOf(file, "proof")), keys);
      console.log(json ? JSON.stringify(toJson(verdict), null, 2) : toText(verdict));
      Deno.exit(verdict.wrong.length === 0 ? FINE : NOT_FINE);
    });
}

function toJson({ logId, jobId, checkpoint, events, wrong }: ProofVerdict) {
  return {
    log_id: logId,
    job_id: jobId,
    size: checkpoint.size,
    root: Buffer.from(checkpoint.root).toString("base64"),
    complete_to_version: wrong.length === 0 ? events.length : null,
    events: timelineOf(events).map(stepJson),
    wrong,
    holds: wrong.length === 0,
  };
}

function toText({ logId, jobId, checkpoint, events, wrong }: ProofVerdict): string {
  if (wrong.length > 0) return ["The proof does not hold:", ...wrong.map((what) => `  ${what}`)].join("\n");
  return [
    timelineText(timelineOf(events)),
    `The proof holds: ${count(events.length, "event")} of job ${jobId}, version 1 to ${
      number(events.length)
    } without a gap, ` +
    `among the first ${count(checkpoint.size, "event")} of log ${logId}, as the key signed them.`,
    "Whether the job had later events it cannot say.",
  ].join("\n");
}
