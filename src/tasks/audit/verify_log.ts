/**
 * Verifies a log for a command, with a progress bar; the file itself too when it is one.
 *
 * @module
 */
import { readHead } from "../../audit/log_reader.ts";
import { treeHere } from "../../audit/tree_growth.ts";
import { treeThread } from "../../audit/tree_thread.ts";
import { verify } from "../../audit/verify.ts";
import type { Head } from "../../events/head.ts";
import type { NoteVerifier } from "../../events/merkle/signed_note.ts";
import { SnapshotError, SqliteSnapshot } from "../../events/sqlite_snapshot.ts";
import { withLog } from "./open_log.ts";
import { withProgress } from "./progress_bar.ts";
import type { VerifyReport } from "./verify_report.ts";

export interface VerifyLogOptions {
  readonly keysOf: (head: Head) => readonly NoteVerifier[] | Promise<readonly NoteVerifier[]>;
  /** Checkpoints that were kept elsewhere. Default: none. */
  readonly outside?: readonly string[];
  /** How many findings are named. Default 20. */
  readonly show?: number;
}

/** A thread of its own is worth its start from here on. */
const MANY_EVENTS = 20_000;

/** @throws {SnapshotError} If there is no such file, or it is damaged as a file. */
export function verifyLog(
  kv: string,
  { keysOf, outside = [], show = 20 }: VerifyLogOptions,
): Promise<VerifyReport> {
  const began = performance.now();
  return withLog(kv, async (store, path) => {
    const { head } = await readHead(store);
    const keys = await keysOf(head);
    const found = await withProgress((onProgress) => {
      if (store instanceof SqliteSnapshot) {
        onProgress({ of: "bytes of the file", done: 0, total: null });
        const [damage] = store.damage();
        if (damage !== undefined) throw new SnapshotError(path, `the file is damaged: ${damage}`);
      }
      const grower = head.position >= MANY_EVENTS ? treeThread : treeHere;
      return verify(store, { keys, outside, show, onProgress, grower, now: Date.now() });
    });
    return { path, found, keys, seconds: (performance.now() - began) / 1000 };
  });
}
