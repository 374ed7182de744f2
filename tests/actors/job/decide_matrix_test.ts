import type { NewEvent } from "../../../src/events/event.ts";
import type { JobCommand } from "../../../src/actors/job/commands.ts";
import type { JobPhase } from "../../../src/actors/job/transition_table.ts";
import { assertEquals } from "@std/assert";
import { answer, aSpec, assertRefused, fold, HISTORIES } from "../support/facts.ts";

type Settled = Exclude<JobPhase, "absent">;

/** What a command amounts to: an event's type, `nothing` when the wish is already true, `refused`. */
type Row = Readonly<Record<Settled, string>>;

const QUEUED = ["queued.ready", "queued.scheduled", "queued.retrying"] as const;
const LATE = "job.late_result_refused";

/** `refused` but in the phases that are named; `queued` stands for all three. */
function row(said: Partial<Record<Settled | "queued", string>>): Row {
  const { queued = "refused", ...rest } = said;
  const phases = Object.keys(HISTORIES) as Settled[];
  return Object.fromEntries(phases.map((phase) => [
    phase,
    rest[phase] ?? ((QUEUED as readonly string[]).includes(phase) ? queued : "refused"),
  ])) as Row;
}

const settle = (outcome: (JobCommand & { type: "settle" })["outcome"]): JobCommand => ({
  type: "settle",
  attempt: 1,
  outcome,
  progress: null,
});
const broke = { type: "failed", errorMessage: "Error: no luck", retryable: true } as const;

const MATRIX: readonly { title: string; command: JobCommand; deed: string | undefined; row: Row }[] = [
  {
    title: "creates no job that is already there",
    command: { type: "create", spec: aSpec(), idempotency: null },
    deed: "create",
    row: row({}),
  },
  {
    title: "updates a job only while it is queued",
    command: { type: "update", changes: { priority: "low" } },
    deed: "update",
    row: row({ queued: "job.updated" }),
  },
  {
    title: "starts a job only while it is queued",
    command: { type: "start" },
    deed: "start",
    row: row({ queued: "job.started" }),
  },
  {
    title: "records progress only while a job is processed",
    command: { type: "progress", attempt: 1, percent: 50, note: null },
    deed: "report progress of",
    row: row({ "processing.running": "job.progressed", "processing.cancelling": "job.progressed" }),
  },
  {
    title: "completes a job only while it runs, and cancels it when that was asked for",
    command: settle({ type: "completed", result: null }),
    deed: "complete",
    row: row({ "processing.running": "job.completed", "processing.cancelling": "job.cancelled" }),
  },
  {
    title: "fails an attempt only while a job runs, and cancels it when that was asked for",
    command: settle(broke),
    deed: "fail",
    row: row({ "processing.running": "job.attempt_failed", "processing.cancelling": "job.cancelled" }),
  },
  {
    title: "fails a job only while it runs, and cancels it when that was asked for",
    command: settle({ ...broke, retryable: false }),
    deed: "fail",
    row: row({ "processing.running": "job.failed", "processing.cancelling": "job.cancelled" }),
  },
  {
    title: "releases a job only while it runs, and cancels it when that was asked for",
    command: settle({ type: "released" }),
    deed: "release",
    row: row({ "processing.running": "job.released", "processing.cancelling": "job.cancelled" }),
  },
  {
    title: "records a late result in every phase, the deleted one included",
    command: { type: "refuse_late_result", attempt: 1, outcome: broke },
    deed: "refuse a late result of",
    row: row({
      queued: LATE,
      "processing.running": LATE,
      "processing.cancelling": LATE,
      completed: LATE,
      failed: LATE,
      cancelled: LATE,
      deleted: LATE,
    }),
  },
  {
    title: "interrupts a job only while it is processed",
    command: { type: "interrupt" },
    deed: "interrupt",
    row: row({ "processing.running": "job.interrupted", "processing.cancelling": "job.cancelled" }),
  },
  {
    title: "cancels what is queued or running, and refuses what has completed or failed",
    command: { type: "cancel" },
    deed: "cancel",
    row: row({
      queued: "job.cancelled",
      "processing.running": "job.cancel_requested",
      "processing.cancelling": "nothing",
      cancelled: "nothing",
    }),
  },
  {
    title: "retries what has failed or was cancelled, and nothing else",
    command: { type: "retry" },
    deed: "retry",
    row: row({ failed: "job.retried", cancelled: "job.retried" }),
  },
  {
    title: "deletes what is final, and nothing else",
    command: { type: "delete" },
    deed: "delete",
    row: row({ completed: "job.deleted", failed: "job.deleted", cancelled: "job.deleted" }),
  },
];

/** Settles and progress name the attempt that the phase knows, so that nothing but the phase decides. */
function fitted(command: JobCommand, given: readonly NewEvent[]): JobCommand {
  return "attempt" in command ? { ...command, attempt: fold(...given).attempt } : command;
}

for (const { title, command, deed, row } of MATRIX) {
  Deno.test(`decide() ${title}`, () => {
    for (const [phase, expected] of Object.entries(row) as [Settled, string][]) {
      const scenario = { given: HISTORIES[phase], when: fitted(command, HISTORIES[phase]) };
      if (expected === "refused") {
        assertRefused(scenario, deed!, phase);
      } else {
        const decision = answer(scenario);
        const types = "events" in decision ? decision.events.map(({ type }) => type) : decision;
        assertEquals(types, expected === "nothing" ? [] : [expected], `${command.type} in ${phase}`);
      }
    }
  });
}

Deno.test("decide() refuses every command but create for a job that is not there", () => {
  for (const { command } of MATRIX) {
    if (command.type === "create") continue;
    assertRefused({ given: [], when: command }, command.type, "absent");
  }
});
