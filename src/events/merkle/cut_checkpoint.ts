/**
 * Checkpoints in a file whose writing was cut off, by a kill or a full disk, so that only their beginning is there.
 *
 * Narrow on purpose: what was altered must never pass for what was cut off. So only the beginning of a checkpoint that
 * a log of Daybook writes counts, with one signature, and nothing behind it.
 *
 * @module
 */

const ZERO_ID = "00000000-0000-0000-0000-000000000000";
const LOG_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** The lines of a checkpoint before its signature, each whole. */
const WHOLE = [LOG_ID, /^[0-9]{1,16}$/, /^[A-Za-z0-9+/]{43}=$/, /^$/];
/** One character less than key id and signature have. */
const PART_OF_SIGNATURE = /^[A-Za-z0-9+/]{0,91}$/;
/** Of the three bytes of a dash, one or two are read as this. */
const PART_OF_DASH = "\ufffd";

/** What the text ends in if that is the beginning of a checkpoint; empty when it is not. Begins with a line. */
export function cutOffEnd(text: string): string {
  const lines = text.split("\n");
  const before = lines.findLastIndex((line, i) => i < lines.length - 1 && line.startsWith("— "));
  const end = lines.slice(before + 1).join("\n").replace(/^\n+/, "");
  return isBeginning(end) ? end : "";
}

function isBeginning(text: string): boolean {
  const lines = text.split("\n");
  const last = lines.pop()!;
  return text !== "" && lines.length <= WHOLE.length && lines.every((line, i) => WHOLE[i]!.test(line)) &&
    isPartOfLine(last, lines.length);
}

function isPartOfLine(part: string, line: number): boolean {
  if (part === "") return true;
  if (line === 0) return isPartOfId(part);
  if (line === 1) return WHOLE[1]!.test(part);
  if (line === 2) return /^[A-Za-z0-9+/]{1,43}$/.test(part) || WHOLE[2]!.test(part);
  if (line !== 4) return false;
  if (part === "—" || part === PART_OF_DASH) return true;
  const [, id, space, signature] = /^— ([0-9a-f-]*)(?:( )(.*))?$/.exec(part) ?? [];
  if (id === undefined) return false;
  return space === undefined ? isPartOfId(id) : LOG_ID.test(id) && PART_OF_SIGNATURE.test(signature!);
}

function isPartOfId(part: string): boolean {
  return LOG_ID.test(part + ZERO_ID.slice(part.length));
}
