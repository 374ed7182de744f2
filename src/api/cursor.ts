/**
 * The cursor of the job list: the id of a page's last job, in a form that invites nobody to build one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { JOB_ID } from "./job_id.ts";

const PREFIX = "j1:";

export function encodeCursor(lastId: string): string {
  return Buffer.from(PREFIX + lastId).toString("base64url");
}

/** The id in it, or `undefined` if this is no cursor of ours. */
export function decodeCursor(cursor: string): string | undefined {
  const text = Buffer.from(cursor, "base64url").toString();
  const id = text.slice(PREFIX.length);
  return JOB_ID.test(id) && encodeCursor(id) === cursor ? id : undefined;
}
