/**
 * Errors of others within a line of Daybook's.
 *
 * @module
 */

/** Of whatever was thrown; an engine's message may go on over many lines. */
export function firstLineOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}
