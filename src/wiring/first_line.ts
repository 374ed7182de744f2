/**
 * Errors of others within a line of Daybook's.
 *
 * @module
 */

/** Of whatever was thrown; an engine's message may go on over many lines. */
export function firstLineOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}

/** What the operating system and SQLite say of a disk that takes nothing, with what is to be said and done. */
const DISK_TROUBLE: readonly (readonly [RegExp, (found: string) => string])[] = [
  [
    /disk is full|No space left on device|not enough space on the disk|quota exceeded/i,
    () => "the disk is full. Make room and start again",
  ],
  [
    /readonly database|read-only file system|write.protected/i,
    (found) => `it is read-only (${found}). Make it writable, or name another place, and start again`,
  ],
  [
    // SQLite says so too when there is no room for what it keeps beside the file.
    /disk I\/O error|input\/output error/i,
    (found) => `the disk is full or fails (${found}). Make room, or mend the disk, and start again`,
  ],
];

/** Why the disk takes nothing and what to do about that; `undefined` when the error tells of something else. */
export function diskTroubleOf(error: unknown): string | undefined {
  const line = firstLineOf(error);
  for (const [pattern, say] of DISK_TROUBLE) {
    const found = pattern.exec(line);
    if (found) return say(found[0]);
  }
  return undefined;
}
