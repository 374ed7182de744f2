/**
 * A job's history as people read it: what happened when, who did it, how long attempts took, and why they failed.
 *
 * @module
 */
import { ATTEMPT_ENDS } from "../actors/job/events.ts";
import { type JobPhase, nextPhase } from "../actors/job/transition_table.ts";
import type { EventEnvelope } from "../events/event.ts";

/** One event of the timeline. */
export interface TimelineStep {
  readonly position: number;
  readonly version: number;
  /** ISO 8601. */
  readonly time: string;
  /** Since the event before; `null` for the first. */
  readonly sinceMs: number | null;
  readonly type: string;
  /** Before and after it; the same where it only tells something. */
  readonly from: JobPhase;
  readonly to: JobPhase;
  readonly actor: string;
  readonly requestId: string | null;
  readonly causationId: string | null;
  readonly reason: string | null;
  readonly attempt: number | null;
  /** How long the attempt that it ends took. */
  readonly attemptMs: number | null;
  readonly error: string | null;
  readonly nextRetryAt: string | null;
  readonly percent: number | null;
}

/** @param events A job's, oldest first. */
export function timelineOf(events: readonly EventEnvelope[]): TimelineStep[] {
  let phase: JobPhase = "absent";
  let before: number | null = null;
  let startedAt: number | null = null;
  return events.map((event) => {
    const data = event.data as Partial<Record<string, unknown>>;
    const from = phase;
    phase = nextPhase(event.machine_version, phase, event) ?? phase;
    const ms = Date.parse(event.time);
    const ends = ATTEMPT_ENDS.has(event.type) && startedAt !== null;
    const step: TimelineStep = {
      position: event.position,
      version: event.version,
      time: event.time,
      sinceMs: before === null ? null : ms - before,
      type: event.type,
      from,
      to: phase,
      actor: event.actor,
      requestId: event.request_id,
      causationId: event.causation_id,
      reason: event.reason,
      attempt: typeof data["attempt"] === "number" ? data["attempt"] : null,
      attemptMs: ends ? ms - startedAt! : null,
      error: typeof data["error_message"] === "string" ? data["error_message"] : null,
      nextRetryAt: typeof data["next_retry_at"] === "string" ? data["next_retry_at"] : null,
      percent: typeof data["percent"] === "number" ? data["percent"] : null,
    };
    if (event.type === "job.started") startedAt = ms;
    else if (ends) startedAt = null;
    before = ms;
    return step;
  });
}

/** The job's path through its machine, as a Mermaid state diagram; steps that repeat one another are drawn once. */
export function mermaidPath(steps: readonly TimelineStep[]): string {
  const edges: { from: string; to: string; what: string; first: number; last: number }[] = [];
  steps.forEach(({ from, to, type, attempt, version }) => {
    // The others are those of the last start; shorter words stand clear of one another.
    const what = type === "job.started" ? `started (attempt ${attempt})` : type.slice("job.".length);
    const last = edges.at(-1);
    const edge = { from: nodeOf(from), to: nodeOf(to), what, first: version, last: version };
    const isRepeated = last && last.from === edge.from && last.to === edge.to && last.what === what;
    if (isRepeated) last.last = version;
    else edges.push(edge);
  });
  const phases = new Set(steps.map(({ to }) => to));
  const lines = [
    "stateDiagram-v2",
    ...[...phases].filter((phase) => phase.includes(".")).map((phase) =>
      `  state "${phase}" as ${nodeOf(phase)}`
    ),
    ...edges.map(({ from, to, what, first, last }) =>
      `  ${from} --> ${to}: ${first === last ? first : `${first} to ${last}`} ${what}`
    ),
  ];
  const end = steps.at(-1)?.to;
  if (end === "deleted") lines.push("  deleted --> [*]");
  return lines.join("\n");
}

function nodeOf(phase: JobPhase): string {
  return phase === "absent" ? "[*]" : phase.replace(".", "_");
}
