/**
 * What `audit replay` says, to people and to programs.
 *
 * @module
 */
import { describeDifference, describeViolation } from "../../audit/describe.ts";
import type { Repaired } from "../../audit/repair.ts";
import type { Replay } from "../../audit/replay.ts";
import { count, listed, number, shownDifferences } from "./report.ts";

export interface ReplayReport {
  /** The file that was read. */
  readonly path: string;
  readonly found: Replay;
  readonly seconds: number;
  /** `undefined` when nothing was repaired. */
  readonly repaired?: { readonly changes: Repaired; readonly left: Replay };
  /** Why it was not, though it should have been. */
  readonly refusal?: string;
}

/** Whether all is as the log says, and the log is lawful; after a repair, whether it is now. */
export function isEqual({ found, repaired }: ReplayReport): boolean {
  const { violations, differences } = repaired?.left ?? found;
  return violations.total + differences.total === 0;
}

export function toJson(report: ReplayReport) {
  const { path, found, seconds, repaired, refusal } = report;
  return {
    kv: path,
    log_id: found.logId,
    events: found.events,
    jobs: found.jobs,
    entries: found.entries,
    seconds,
    events_per_second: found.events / seconds,
    violations: found.violations,
    differences: shownDifferences(found.differences),
    repaired: repaired
      ? { ...repaired.changes, differences: shownDifferences(repaired.left.differences) }
      : null,
    refusal: refusal ?? null,
    equal: isEqual(report),
  };
}

export function toText(report: ReplayReport): string {
  const { path, found, seconds, repaired, refusal } = report;
  const { violations, differences } = found;
  const lines = [
    `Replayed ${count(found.events, "event")} of ${
      count(found.jobs, "job")
    } in ${path}, log ${found.logId}, ` +
    `and compared ${count(found.entries, "entry", "entries")}: ` +
    `${seconds.toFixed(1)} s, ${count(Math.round(found.events / seconds), "event")} a second`,
    ...listed("thing", "that the log must not hold", violations, describeViolation),
    ...listed("difference", "between the log and what is shown", differences, describeDifference),
  ];
  if (repaired) {
    const { changes: { written, deleted }, left } = repaired;
    lines.push(
      `Repaired from the log: ${count(written, "entry", "entries")} written, ${number(deleted)} deleted`,
      ...listed("difference", "left", left.differences, describeDifference),
    );
  }
  if (refusal) lines.push(refusal);
  if (isEqual(report)) lines.push("What is shown is what is logged");
  return lines.join("\n");
}
