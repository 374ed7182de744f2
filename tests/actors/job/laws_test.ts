import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { initialTransition, transition } from "xstate";
import type { StoredEvent } from "../../../src/events/event.ts";
import type { JobCommand } from "../../../src/actors/job/commands.ts";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import { decide } from "../../../src/actors/job/decide.ts";
import type { JobEvent } from "../../../src/actors/job/events.ts";
import { evolve } from "../../../src/actors/job/evolve.ts";
import { JOB_MACHINES } from "../../../src/actors/job/machine.ts";
import { decodeRow, encodeRow } from "../../../src/actors/job/row.ts";
import { type JobState, toJob } from "../../../src/actors/job/state.ts";
import { anySpec, anyWish, type Wish } from "../support/commands.ts";
import { stored, timeOf } from "../support/facts.ts";

const anyDraw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** A life: how the job was created, and what was then asked of it. */
const anyLife = fc.tuple(anySpec, fc.array(fc.tuple(anyWish, anyDraw), { maxLength: 40 }));

interface Lived {
  readonly events: readonly StoredEvent[];
  /** After each event. */
  readonly states: readonly JobState[];
}

/** Decides and evolves as the command processor does. */
function live([spec, wishes]: readonly [JobSpec, readonly (readonly [Wish, number])[]]): Lived {
  const events: StoredEvent[] = [];
  const states: JobState[] = [];
  const decideOn = (state: JobState | null, command: JobCommand, random: number) => {
    const decision = decide(state, command, { now: timeOf(events.length + 1), random });
    for (const event of "events" in decision ? decision.events : []) {
      events.push(stored(event, { version: events.length + 1 }));
      states.push(evolve(states.at(-1) ?? null, events.at(-1)!)!);
    }
  };
  decideOn(null, { type: "create", spec, idempotency: null }, 0);
  for (const [wish, random] of wishes) decideOn(states.at(-1)!, wish(states.at(-1)!), random);
  return { events, states };
}

Deno.test("every history that decide() can make is a path of the machine", () => {
  fc.assert(
    fc.property(anyLife, (life) => {
      const { events } = live(life);
      const machine = JOB_MACHINES.get(1)!;
      let [snapshot] = initialTransition(machine);
      for (const { event } of events) {
        const fact = event as unknown as JobEvent;
        assert(snapshot.can(fact), `${event.type} after ${JSON.stringify(snapshot.value)}`);
        [snapshot] = transition(machine, snapshot, fact);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("folding a history from the beginning equals evolving it event by event, and going on from any row", () => {
  fc.assert(fc.property(anyLife, fc.nat(), (life, cut) => {
    const { events, states } = live(life);
    const whole = events.reduce<JobState | null>(evolve, null);
    assertEquals(whole, states.at(-1)!);
    const at = cut % events.length;
    const origin = states[at]!.origin && evolve(null, events[0]!);
    const row = decodeRow(encodeRow(states[at]!), origin);
    const resumed = events.slice(at + 1).reduce<JobState | null>(evolve, row);
    assertEquals(resumed, whole);
  }));
});

Deno.test("a cancel that is asked for twice adds nothing, wherever it was accepted", () => {
  fc.assert(fc.property(anyLife, (life) => {
    const { states } = live(life);
    const state = states.at(-1)!;
    const once = decide(state, { type: "cancel" }, { now: 0, random: 0 });
    if (!("events" in once)) return;
    const after = once.events.map((event) => stored(event, { version: state.version + 1 }))
      .reduce<JobState | null>(evolve, state)!;
    assertEquals(decide(after, { type: "cancel" }, { now: 0, random: 0 }), { events: [] });
  }));
});

Deno.test("attempts, retries and interruptions stay within what the job allows, whatever happens", () => {
  fc.assert(fc.property(anyLife, (life) => {
    let before: JobState | undefined;
    for (const state of live(life).states) {
      assert(state.interruptCount >= 0 && state.interruptCount <= 3);
      assert(state.attempt - (before?.attempt ?? 0) <= 1 && state.attempt >= (before?.attempt ?? 0));
      if (before && state.retryCount > before.retryCount) {
        assertEquals(state.retryCount, before.retryCount + 1);
        assert(before.retryCount < before.maxRetries, "a retry more than were allowed");
      }
      before = state;
    }
  }));
});

Deno.test("the job that users see is consistent in every state that it can reach", () => {
  fc.assert(fc.property(anyLife, (life) => {
    for (const state of live(life).states) {
      if (state.phase === "deleted") continue;
      const job = toJob(state, {}, null);
      assertEquals(
        job.completed_at !== null,
        ["completed", "failed", "cancelled"].includes(job.status),
        "completed_at",
      );
      if (job.next_retry_at !== null) assertEquals(job.status, "queued");
      if (job.status === "processing") assert(job.started_at !== null && job.attempt > 0);
      if (job.status === "cancelled") assert(job.cancel_requested_at !== null);
      if (job.status === "failed") assert(job.error_message !== null);
      assertEquals(job.version, state.version);
      assertEquals(Object.values(job).includes(undefined), false);
    }
  }));
});
