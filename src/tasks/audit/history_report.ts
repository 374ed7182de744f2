/**
 * A timeline, to people and to programs.
 *
 * @module
 */
import type { TimelineStep } from "../../audit/timeline.ts";

export function stepJson(step: TimelineStep) {
  return {
    position: step.position,
    version: step.version,
    time: step.time,
    since_ms: step.sinceMs,
    type: step.type,
    from: step.from,
    to: step.to,
    actor: step.actor,
    request_id: step.requestId,
    causation_id: step.causationId,
    reason: step.reason,
    attempt: step.attempt,
    attempt_ms: step.attemptMs,
    error: step.error,
    next_retry_at: step.nextRetryAt,
    percent: step.percent,
  };
}

/** A table with a line for each step. */
export function timelineText(steps: readonly TimelineStep[]): string {
  const rows = steps.map((step) => [
    String(step.version),
    step.time,
    step.sinceMs === null ? "" : `+${durationText(step.sinceMs)}`,
    step.type,
    step.to,
    step.actor,
    detailOf(step),
  ]);
  const header = ["", "time", "after", "event", "state then", "actor", ""];
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  return [header, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}

function detailOf(step: TimelineStep): string {
  const { attempt, attemptMs, percent, error, nextRetryAt, reason } = step;
  return [
    attempt === null ? "" : `attempt ${attempt}`,
    attemptMs === null ? "" : `took ${durationText(attemptMs)}`,
    percent === null ? "" : `${percent} %`,
    error === null ? "" : `error: ${oneLine(error)}`,
    nextRetryAt === null ? "" : `next at ${nextRetryAt}`,
    reason === null ? "" : `reason: ${oneLine(reason)}`,
  ].filter((text) => text !== "").join(", ");
}

function oneLine(text: string): string {
  // What a terminal would obey is shown as what it is.
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}

function durationText(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms % 60_000 / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
