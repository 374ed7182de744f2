import { assertEquals } from "@std/assert";
import type { JobCommand } from "../../../src/actors/job/commands.ts";
import { decide, HISTORY_LIMIT } from "../../../src/actors/job/decide.ts";
import { evolve } from "../../../src/actors/job/evolve.ts";
import type { JobState } from "../../../src/actors/job/state.ts";
import { created, fold, started, stored } from "../support/facts.ts";

const PROGRESS = { type: "progress", attempt: 1, percent: 1, note: null } as const;
const SETTLE: JobCommand = {
  type: "settle",
  attempt: 1,
  outcome: { type: "completed", result: null },
  progress: null,
};

function runningAt(version: number): JobState {
  return { ...fold(created(), started(1)), version };
}

/** The types of the events that the command amounts to, and the state after them. */
function meet(state: JobState, command: JobCommand): [readonly string[] | "refused", JobState] {
  const decision = decide(state, command, { now: 0, random: 0 });
  if (!("events" in decision)) return ["refused", state];
  const after = decision.events.map((event, i) => stored(event, { version: state.version + 1 + i }))
    .reduce<JobState | null>(evolve, state)!;
  return [decision.events.map(({ type }) => type), after];
}

Deno.test("decide() records progress up to a job's 10,000th event, then says once that it no longer does", () => {
  const [last, full] = meet(runningAt(HISTORY_LIMIT - 1), PROGRESS);
  assertEquals([last, full.version], [["job.progressed"], 10_000]);
  const [limited, after] = meet(full, PROGRESS);
  assertEquals(limited, ["job.history_limited"]);
  const [nothing, same] = meet(after, PROGRESS);
  assertEquals([nothing, same], [[], after]);
});

Deno.test("decide() says so too when the 10,000th event was no progress", () => {
  const [limited, after] = meet(runningAt(HISTORY_LIMIT + 3), PROGRESS);
  assertEquals(limited, ["job.history_limited"]);
  assertEquals(meet(after, PROGRESS)[0], []);
});

Deno.test("decide() goes on recording everything but progress in a long history", () => {
  const [types, after] = meet(runningAt(HISTORY_LIMIT + 3), SETTLE);
  assertEquals([types, after.phase], [["job.completed"], "completed"]);
});
