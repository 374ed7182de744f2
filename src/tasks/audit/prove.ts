/**
 * `deno task audit prove`: writes a job's history as a file that proves itself.
 *
 * @module
 */
import { Command } from "commander";
import { proveJob } from "../../audit/job_proof.ts";
import { parseCheckpoint } from "../../events/merkle/checkpoint.ts";
import { COULD_NOT, FINE } from "./exit_codes.ts";
import { withProgress } from "./progress_bar.ts";
import { count } from "./report.ts";
import { KV_OPTION, withLog } from "./open_log.ts";

interface Options {
  readonly kv?: string;
  readonly out?: string;
  readonly json?: true;
}

export function proveCommand(): Command {
  return new Command("prove")
    .description(
      "Writes a job's events with what proves that they are in the signed log, for deno task audit check.\n" +
        `Exits ${FINE} when the file is written, ${COULD_NOT} when there is nothing to prove or to prove it with.`,
    )
    .argument("<job>", "the job's id; it may have been deleted")
    .option(...KV_OPTION)
    .option("--out <file>", "where to; it must not be there yet (default: <job>.proof.json)")
    .option("--json", "one JSON object in place of the text")
    .action(async (job: string, { kv, out = `${job}.proof.json`, json }: Options) => {
      const { proof, unsealed } = await withLog(
        kv,
        (store) =>
          withProgress((onProgress) =>
            proveJob(store, job, (done, total) => onProgress({ of: "events", done, total }))
          ),
      );
      await write(out, `${JSON.stringify(proof, null, 2)}\n`);
      const { size } = parseCheckpoint(proof.checkpoint);
      const events = proof.events.length;
      console.log(
        json
          ? JSON.stringify({ file: out, log_id: proof.log_id, job_id: job, events, unsealed, size }, null, 2)
          : `${out} proves ${count(events, "event")} of job ${job} by the checkpoint of ${
            count(size, "event")
          }` +
            (unsealed > 0 ? `; ${count(unsealed, "later one is", "later ones are")} not sealed yet` : ""),
      );
    });
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new Error(`${path} is there already: name another file with --out`);
    }
    throw new Error(`Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
