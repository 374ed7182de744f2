/**
 * The names that rotation gives: `<log>.<yyyymmddThhmmssmmm>` with what it is at the end.
 *
 * | ending | what it is |
 * | --- | --- |
 * | none | lines moved out of the log, not yet compressed |
 * | `.gz` | an archive, complete |
 * | `.gz.tmp` | an archive being written; its lines are still in the one without ending |
 * | `.copy` | a copy of a log whose writer keeps it open, until the log is emptied |
 *
 * @module
 */

export type RotatedKind = "moved" | "archive" | "unfinished" | "copy";

/** A file that rotation has made, told by its name. */
export interface Rotated {
  /** The file's name. */
  readonly name: string;
  /** The name of the log that its lines come from. */
  readonly log: string;
  /** `20260107T101532123`, UTC; as text these sort by time. */
  readonly stamp: string;
  readonly kind: RotatedKind;
}

const NAME = /^(.+)\.(\d{8}T\d{9})(|\.gz|\.gz\.tmp|\.copy)$/;
const KINDS: Record<string, RotatedKind> = {
  "": "moved",
  ".gz": "archive",
  ".gz.tmp": "unfinished",
  ".copy": "copy",
};

/** What a file's name says of it; `undefined` for a file that rotation has not made. */
export function parseRotated(name: string): Rotated | undefined {
  const [, log, stamp, ending] = NAME.exec(name) ?? [];
  if (log === undefined || stamp === undefined || ending === undefined) return undefined;
  return { name, log, stamp, kind: KINDS[ending]! };
}

/** A time as it stands in a name. */
export function stampOf(time: Date): string {
  return time.toISOString().replace(/[-:.Z]/g, "");
}
