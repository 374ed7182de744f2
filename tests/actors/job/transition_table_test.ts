import { assert, assertEquals } from "@std/assert";
import { getAdjacencyMap, getShortestPaths } from "@xstate/graph";
import fc from "fast-check";
import { initialTransition, transition } from "xstate";
import { JOB_EVENT_TYPES, type JobEvent } from "../../../src/actors/job/events.ts";
import { JOB_MACHINES, type JobMachine, MACHINE_VERSION } from "../../../src/actors/job/machine.ts";
import { canHappen, type JobPhase, nextPhase } from "../../../src/actors/job/transition_table.ts";
import { HISTORIES } from "../support/facts.ts";

const PHASES: readonly JobPhase[] = ["absent", ...Object.keys(HISTORIES) as JobPhase[]];

/** All that the machine's guards look at. */
const VARIANTS: readonly Record<string, unknown>[] = [
  {},
  { scheduled_at: null },
  { scheduled_at: "2026-01-08T00:00:00.000Z" },
  { next_retry_at: null },
  { next_retry_at: "2026-01-07T10:17:00.000Z" },
];

const EVENTS = JOB_EVENT_TYPES.flatMap((type) =>
  VARIANTS.map((data) => ({ type, data }) as unknown as JobEvent)
);

type Snapshot = ReturnType<JobMachine["getInitialSnapshot"]>;

interface Adjacent {
  readonly state: Snapshot;
  readonly transitions: Record<string, { event: JobEvent; state: Snapshot }>;
}

function snapshotIn(machine: JobMachine, phase: JobPhase): Snapshot {
  const [parent, child] = phase.split(".");
  const value = child === undefined ? parent! : { [parent!]: child };
  return machine.resolveState({ value: value as Snapshot["value"] });
}

function phaseOf({ value }: { value: unknown }): JobPhase {
  if (typeof value === "string") return value as JobPhase;
  const [[parent, child]] = Object.entries(value as Record<string, string>) as [[string, string]];
  return `${parent}.${child}` as JobPhase;
}

for (const [version, machine] of JOB_MACHINES) {
  Deno.test(`nextPhase() answers as XState does, in every phase, for every event and guard of version ${version}`, () => {
    for (const phase of PHASES) {
      const snapshot = snapshotIn(machine, phase);
      for (const event of EVENTS) {
        const [next] = transition(machine, snapshot, event);
        const expected = snapshot.can(event) ? phaseOf(next) : undefined;
        assertEquals(nextPhase(version, phase, event), expected, `${event.type} in ${phase}`);
        if (expected === undefined) assertEquals(phaseOf(next), phase);
      }
    }
  });

  Deno.test(`canHappen() agrees with snapshot.can for every event that some guard lets pass, version ${version}`, () => {
    for (const phase of PHASES) {
      const snapshot = snapshotIn(machine, phase);
      for (const type of JOB_EVENT_TYPES) {
        const can = EVENTS.some((event) => event.type === type && snapshot.can(event));
        assertEquals(canHappen(version, phase, type), can, `${type} in ${phase}`);
      }
    }
  });

  Deno.test(`the machine of version ${version} reaches every phase, and the table walks its shortest paths`, () => {
    const paths = getShortestPaths(machine, { events: EVENTS });
    assertEquals(new Set(paths.map(({ state }) => phaseOf(state))), new Set(PHASES));
    for (const { steps, state } of paths) {
      const walked = steps.slice(1).reduce<JobPhase>(
        (phase, step) => nextPhase(version, phase, step.event as JobEvent)!,
        "absent",
      );
      assertEquals(walked, phaseOf(state));
    }
  });

  Deno.test(`the graph of version ${version} has the table's edges and no others`, () => {
    const adjacency = getAdjacencyMap(machine, { events: EVENTS }) as Record<string, Adjacent>;
    for (const { state, transitions } of Object.values(adjacency)) {
      const phase = phaseOf(state);
      for (const { event, state: target } of Object.values(transitions)) {
        assertEquals(nextPhase(version, phase, event) ?? phase, phaseOf(target), `${event.type} in ${phase}`);
      }
    }
  });

  Deno.test(`random walks of machine and table agree, version ${version}`, () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
      let [snapshot] = initialTransition(machine);
      let phase: JobPhase = "absent";
      for (const event of events) {
        [snapshot] = transition(machine, snapshot, event);
        phase = nextPhase(version, phase, event) ?? phase;
        assertEquals(phase, phaseOf(snapshot));
      }
    }));
  });

  Deno.test(`no state of version ${version} is final, and nothing leaves deleted`, () => {
    for (const phase of PHASES) assertEquals(snapshotIn(machine, phase).status, "active", phase);
    for (const event of EVENTS) {
      assert([undefined, "deleted"].includes(nextPhase(version, "deleted", event)), event.type);
    }
  });
}

Deno.test("the machine has a transition for every job event, and knows no other event", () => {
  for (const machine of JOB_MACHINES.values()) {
    const known = machine.events.filter((type) => !type.startsWith("xstate.")).sort();
    assertEquals(known as string[], [...JOB_EVENT_TYPES].sort());
  }
});

Deno.test("new jobs are created under a published version of the machine", () => {
  assert(JOB_MACHINES.has(MACHINE_VERSION));
  assertEquals(MACHINE_VERSION, Math.max(...JOB_MACHINES.keys()));
});

Deno.test("nextPhase() and canHappen() know nothing of a version that was never published", () => {
  assertEquals(nextPhase(99, "queued.ready", { type: "job.started", data: {} }), undefined);
  assertEquals(canHappen(99, "queued.ready", "job.started"), false);
});
