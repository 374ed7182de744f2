/**
 * The cursor of the job list: the id of a page's last job, in a form that invites nobody to build one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { JOB_ID } from "./job_id.ts";

/** The list as it is, and as of a moment: what the one gives out names no place in the other. */
export type ListKind = "now" | "then";

const PREFIXES = { now: "j1:", then: "a1:" } satisfies Record<ListKind, string>;

export function encodeCursor(list: ListKind, lastId: string): string {
  return Buffer.from(PREFIXES[list] + lastId).toString("base64url");
}

/** The id in it, or `undefined` if this is no cursor of this list. */
export function decodeCursor(list: ListKind, cursor: string): string | undefined {
  const text = Buffer.from(cursor, "base64url").toString();
  const id = text.slice(PREFIXES[list].length);
  return JOB_ID.test(id) && encodeCursor(list, id) === cursor ? id : undefined;
}
