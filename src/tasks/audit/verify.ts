/**
 * `deno task audit verify`: whether the log is whole, unchanged and sealed, and everything shown is what it says.
 *
 * @module
 */
import { Command, Option } from "commander";
import { createPublicKey } from "node:crypto";
import { treeHere } from "../../audit/tree_growth.ts";
import { treeThread } from "../../audit/tree_thread.ts";
import { verify } from "../../audit/verify.ts";
import { type Config, loadConfig } from "../../config/config.ts";
import {
  MalformedNoteError,
  type NoteVerifier,
  rawPublicKey,
  splitNotes,
} from "../../events/merkle/signed_note.ts";
import { SnapshotError, SqliteSnapshot } from "../../events/sqlite_snapshot.ts";
import { keptSigningKey } from "../../wiring/signing_key.ts";
import { COULD_NOT, FINE, NOT_FINE } from "./exit_codes.ts";
import { keysNamed, several, textOf } from "./keys.ts";
import { positive } from "./positive.ts";
import { withProgress } from "./progress_bar.ts";
import { isValid, toJson, toText, type VerifyReport } from "./verify_report.ts";

interface Options {
  readonly kv?: string;
  readonly key: readonly string[];
  readonly checkpoint: readonly string[];
  readonly show: number;
  readonly json?: true;
}

/** A thread of its own is worth its start from here on. */
const MANY_EVENTS = 20_000;

export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Checks everything that can be checked: positions, versions, each job's history, the Merkle tree, every checkpoint\n" +
        "and its signature, and every row and index; in one state beside a running server, or on a copy.\n" +
        `Exits ${FINE} when all is as it was written, ${NOT_FINE} when it is not, ${COULD_NOT} when that could not be found out.`,
    )
    .option("--kv <path>", "the file; a copy will do (default: that of the configuration)")
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
  const config = kv === undefined || kv === "" ? loadConfig(Deno.env) : undefined;
  const path = config?.kvPath ?? kv!;
  const outside = (await Promise.all(checkpoint.map(checkpointsIn))).flat();
  const began = performance.now();
  const snapshot = SqliteSnapshot.open(path);
  try {
    const { log_id, position } = snapshot.head();
    const keys = await keysOf(key, config, log_id);
    const found = await withProgress((onProgress) => {
      onProgress({ of: "bytes of the file", done: 0, total: null });
      const [damage] = snapshot.damage();
      if (damage !== undefined) throw new SnapshotError(path, `the file is damaged: ${damage}`);
      const grower = position >= MANY_EVENTS ? treeThread : treeHere;
      return verify(snapshot, { keys, outside, show, onProgress, grower, now: Date.now() });
    });
    return { path, found, keys, seconds: (performance.now() - began) / 1000 };
  } finally {
    snapshot.close();
  }
}

/** The keys that were named, else the configured file's own. */
async function keysOf(
  named: readonly string[],
  config: Config | undefined,
  logId: string,
): Promise<NoteVerifier[]> {
  if (named.length > 0) return await keysNamed(named);
  const own = config && await keptSigningKey(config.signingKeyPath);
  return own ? [{ name: logId, publicKey: rawPublicKey(createPublicKey(own)) }] : [];
}

async function checkpointsIn(path: string): Promise<string[]> {
  const notes = splitNotes(await textOf(path, "checkpoint"));
  if (notes.length === 0) throw new MalformedNoteError(`${path} holds no checkpoint`);
  return notes;
}
