/**
 * `deno task audit verify`: whether the log is whole, unchanged and sealed, and everything shown is what it says.
 *
 * @module
 */
import { Command, Option } from "commander";
import { loadConfig } from "../../config/config.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./exit_codes.ts";
import { checkpointsIn, keysNamed, ownKeys, several } from "./keys.ts";
import { KV_OPTION } from "./open_log.ts";
import { positive } from "./positive.ts";
import { verifyLog } from "./verify_log.ts";
import { isValid, toJson, toText, type VerifyReport } from "./verify_report.ts";

interface Options {
  readonly kv?: string;
  readonly key: readonly string[];
  readonly checkpoint: readonly string[];
  readonly show: number;
  readonly json?: true;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Checks everything that can be checked: positions, versions, each job's history, the Merkle tree, every checkpoint\n" +
        "and its signature, and every row and index; in one state beside a running server, or on a copy.\n" +
        `Exits ${FINE} when all is as it was written, ${NOT_FINE} when it is not, ${COULD_NOT} when that could not be found out.`,
    )
    .option(...KV_OPTION)
    .option(
      "--key <key>",
      "who may have signed: '<name>+<id>+<base64>' as GET /audit/key gives it, or a file with such lines; may be\n" +
        "repeated (default: the key that DAYBOOK_SIGNING_KEY names, and none for another file)",
      several,
      [],
    )
    .option(
      "--checkpoint <file>",
      "a file with checkpoints of this log that were kept elsewhere; may be repeated",
      several,
      [],
    )
    .addOption(new Option("--show <n>", "how many findings to name").argParser(positive).default(20))
    .option("--json", "one JSON object in place of the text")
    .action(async (options: Options) => {
      const report = await run(options);
      console.log(options.json ? JSON.stringify(toJson(report), null, 2) : toText(report));
      Deno.exit(isValid(report) ? FINE : NOT_FINE);
    });
}

async function run({ kv, key, checkpoint, show }: Options): Promise<VerifyReport> {
  const config = kv === undefined ? loadConfig(Deno.env) : undefined;
  const outside = await checkpointsIn(checkpoint);
  const named = await keysNamed(key);
  return await verifyLog(config?.kvPath ?? kv!, {
    keysOf: (head) => named.length > 0 || !config ? named : ownKeys(config, head),
    outside,
    show,
  });
}
