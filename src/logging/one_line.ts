/**
 * Keeps one record on one line, so that nobody can forge a line through a message.
 *
 * @module
 */

/** C0 and C1 controls, the Unicode line ends, and the marks that turn the direction of writing. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with line ends and control characters written as escapes, `\n` or `\u001b`. */
export function oneLine(text: string): string {
  return text.replace(
    UNSAFE,
    (unsafe) => SHORT[unsafe] ?? `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
