/**
 * What `audit verify` says, to people and to programs: also what it could not check.
 *
 * @module
 */
import { describeDifference, describeViolation } from "../../audit/describe.ts";
import type { Verification } from "../../audit/verify.ts";
import { formatVerifierKey, type NoteVerifier } from "../../events/merkle/signed_note.ts";
import { count, listed, number, shownDifferences } from "./report.ts";

export interface VerifyReport {
  /** The file that was read. */
  readonly path: string;
  readonly found: Verification;
  /** Those that signatures were checked with. */
  readonly keys: readonly NoteVerifier[];
  readonly seconds: number;
}

export function isValid({ found: { violations, differences } }: VerifyReport): boolean {
  return violations.total + differences.total === 0;
}

export function toJson(report: VerifyReport) {
  const { path, found, keys, seconds } = report;
  return {
    kv: path,
    log_id: found.logId,
    events: found.events,
    jobs: found.jobs,
    entries: found.entries,
    seconds,
    events_per_second: found.events / seconds,
    sealed_events: found.sealed,
    unsealed_events: Math.max(0, found.events - found.sealed),
    checkpoints: found.checkpoints,
    signatures: { keys: keys.map(formatVerifierKey), checked: found.signed !== null, right: found.signed },
    outside_checkpoints: found.outside,
    first_offending_position: found.first?.position ?? null,
    violations: found.violations,
    differences: shownDifferences(found.differences),
    valid: isValid(report),
  };
}

export function toText(report: VerifyReport): string {
  const { path, found, seconds } = report;
  const { first, violations, differences } = found;
  const jobs = count(found.jobs, "job");
  const lines = [
    `Verified ${count(found.events, "event")} of ${jobs} in ${path}, log ${found.logId}, ` +
    `and compared ${count(found.entries, "entry", "entries")}: ` +
    `${seconds.toFixed(1)} s, ${count(Math.round(found.events / seconds), "event")} a second`,
    sealedText(found),
    signaturesText(found),
    outsideText(found),
    ...listed("thing", "that the log must not hold", violations, describeViolation),
    ...listed("difference", "between the log and what is shown", differences, describeDifference),
  ];
  if (first && first.position !== null) lines.push(`First offending position: ${first.position}`);
  if (isValid(report)) lines.push("Nothing was changed, and what is shown is what is logged");
  return lines.join("\n");
}

function sealedText({ events, sealed, checkpoints, violations }: Verification): string {
  const tail = events - sealed;
  const by = `by ${count(checkpoints, "checkpoint")}`;
  if (tail <= 0) return `Sealed: the first ${count(sealed, "event")}, ${by}`;
  return violations.total > 0
    ? `Sealed ${by}, of which the last that fits the events is of ${number(sealed)}`
    : `Sealed: the first ${count(sealed, "event")}, ${by}; ` +
      `${count(tail, "event")} since could be changed unseen until they are sealed too`;
}

function signaturesText({ signed, checkpoints, outside }: Verification): string {
  if (signed === null) {
    return "Signatures: not checked, for want of a key (--key), so whoever made the file could have made the seals too";
  }
  return `Signatures: ${number(signed)} of ${
    count(checkpoints + outside.length, "checkpoint")
  } signed by the key`;
}

function outsideText({ outside }: Verification): string {
  if (outside.length === 0) {
    return "Outside checkpoint: none (--checkpoint), so a return of the whole file to an earlier state would not be seen";
  }
  return `Outside checkpoint: of ${outside.map(number).join(", ")} events`;
}
