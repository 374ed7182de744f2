/**
 * The supervisor: an XState actor that recovers, schedules, and stops.
 *
 * A child that fails is restarted with growing pauses; one that fails too often within the period makes the supervisor
 * give up loudly, as Erlang's supervisors do by intensity and period.
 *
 * @module
 */
import { assign, fromCallback, fromPromise, setup } from "xstate";
import type { Clock } from "../events/clock.ts";
import type { EventLog } from "../events/event_log.ts";
import type { AttemptPool } from "./attempt_pool.ts";
import type { JobChange } from "./job/projector.ts";
import type { JobScheduler } from "./job_scheduler.ts";

/** So many failures within the period, and the supervisor gives up. */
const INTENSITY = 20;
const PERIOD_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

export interface SupervisorParts {
  readonly log: EventLog<JobChange>;
  readonly pool: AttemptPool;
  readonly scheduler: JobScheduler;
  readonly clock: Clock;
  /** The queues that have jobs waiting. */
  readonly queues: () => Iterable<string>;
  /** Ends the attempts of the process that died; answers how many there were. */
  readonly recover: () => Promise<number>;
  readonly onRecovered: (interrupted: number) => void;
  /** A child failed and is restarted after `pauseMs`. */
  readonly onRestart: (error: unknown, pauseMs: number) => void;
  /** How long running handlers may go on when Daybook stops, before their signals fire. */
  readonly patienceMs: number;
  /** How long they may go on after that. */
  readonly graceMs: number;
}

type SupervisorEvent =
  | { type: "child.failed"; error: unknown }
  | { type: "stop" }
  /** Do not wait for handlers. */
  | { type: "hurry" };

/** The supervisor of these parts, for `createActor`. Its clock is the parts' clock. */
export function supervisorMachine(parts: SupervisorParts) {
  const { log, pool, scheduler, clock } = parts;
  return setup({
    types: {
      context: {} as { recovered: boolean; failures: readonly number[]; error: unknown },
      events: {} as SupervisorEvent,
    },
    actors: {
      recovery: fromPromise(async () => parts.onRecovered(await parts.recover())),
      scheduling: fromCallback<SupervisorEvent>(({ sendBack }) => {
        const load = () => {
          scheduler.load(parts.queues()).catch((error) => sendBack({ type: "child.failed", error }));
          // What may come before others that are still being read starts at once.
          pool.open();
        };
        const stopListening = log.listen({
          // What was taken for starts that are lost is found again on disk.
          health: ({ ok }) => ok && load(),
        });
        load();
        return () => {
          stopListening();
          pool.close();
        };
      }),
      draining: fromPromise(async () => {
        pool.close();
        const patience = clock.setTimeout(() => pool.shutDown(parts.graceMs), parts.patienceMs);
        await pool.idle();
        clock.clearTimeout(patience);
      }),
    },
    guards: {
      recovered: ({ context }) => context.recovered,
      tooOften: ({ context }) => recent(context.failures, clock.monotonic()).length + 1 >= INTENSITY,
    },
    delays: {
      pause: ({ context }) => pauseMs(context.failures.length),
    },
    actions: {
      noteFailure: assign(({ context }, { error }: { error: unknown }) => ({
        failures: [...recent(context.failures, clock.monotonic()), clock.monotonic()],
        error,
      })),
      tellRestart: ({ context }) => parts.onRestart(context.error, pauseMs(context.failures.length)),
    },
  }).createMachine({
    id: "supervisor",
    context: { recovered: false, failures: [], error: undefined },
    initial: "recovering",
    states: {
      recovering: {
        invoke: {
          src: "recovery",
          onDone: { target: "scheduling", actions: assign({ recovered: true }) },
          onError: [
            {
              guard: "tooOften",
              target: "givenUp",
              actions: { type: "noteFailure", params: ({ event }) => event },
            },
            { target: "pausing", actions: { type: "noteFailure", params: ({ event }) => event } },
          ],
        },
        on: { stop: "stopping" },
      },
      scheduling: {
        invoke: { src: "scheduling" },
        on: {
          "child.failed": [
            {
              guard: "tooOften",
              target: "givenUp",
              actions: { type: "noteFailure", params: ({ event }) => event },
            },
            { target: "pausing", actions: { type: "noteFailure", params: ({ event }) => event } },
          ],
          stop: "stopping",
        },
      },
      pausing: {
        entry: "tellRestart",
        after: { pause: [{ guard: "recovered", target: "scheduling" }, { target: "recovering" }] },
        on: { stop: "stopping" },
      },
      stopping: {
        invoke: { src: "draining", onDone: "stopped", onError: "stopped" },
        on: { hurry: { actions: () => pool.shutDown(0) } },
      },
      stopped: { type: "final" },
      /** Starts nothing any more; what runs may end until Daybook stops. */
      givenUp: { on: { stop: "stopping" } },
    },
  });
}

function recent(failures: readonly number[], now: number): readonly number[] {
  return failures.filter((time) => time > now - PERIOD_MS);
}

function pauseMs(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
}
