/**
 * The machine: what may happen to a job, as one XState definition.
 *
 * Its events are the events of the log, so a job's history is a path of this machine. No status is an XState `final`
 * state, because completed, failed and cancelled jobs can be retried or deleted and can get a late result; nothing
 * leaves `deleted`.
 *
 * A published version is never changed: a new definition gets a new number, and a job keeps the one that it was
 * created under.
 *
 * @module
 */
import { setup } from "xstate";
import type { JobEvent } from "./events.ts";

const jobMachineV1 = setup({
  types: { events: {} as JobEvent },
  guards: {
    startsLater: ({ event }) => "scheduled_at" in event.data && event.data.scheduled_at !== null,
    startsAtOnce: ({ event }) => "scheduled_at" in event.data && event.data.scheduled_at === null,
    retriesLater: ({ event }) => "next_retry_at" in event.data && event.data.next_retry_at !== null,
  },
  actions: {
    /** Every transition has an action, so that `snapshot.can` tells a transition from an event that is passed over. */
    record: () => {},
  },
}).createMachine({
  id: "job",
  initial: "absent",
  states: {
    absent: {
      on: {
        "job.created": [
          { guard: "startsLater", target: "queued.scheduled", actions: "record" },
          { target: "queued.ready", actions: "record" },
        ],
      },
    },
    queued: {
      initial: "ready",
      states: { ready: {}, scheduled: {}, retrying: {} },
      on: {
        "job.updated": [
          { guard: "startsLater", target: ".scheduled", actions: "record" },
          { guard: "startsAtOnce", target: ".ready", actions: "record" },
          { actions: "record" },
        ],
        "job.started": { target: "processing.running", actions: "record" },
        "job.cancelled": { target: "cancelled", actions: "record" },
        "job.late_result_refused": { actions: "record" },
      },
    },
    processing: {
      initial: "running",
      states: {
        running: {
          on: {
            "job.cancel_requested": { target: "cancelling", actions: "record" },
            "job.completed": { target: "#job.completed", actions: "record" },
            "job.failed": { target: "#job.failed", actions: "record" },
            "job.attempt_failed": { target: "#job.queued.retrying", actions: "record" },
            "job.interrupted": [
              { guard: "retriesLater", target: "#job.queued.retrying", actions: "record" },
              { target: "#job.queued.ready", actions: "record" },
            ],
            "job.released": { target: "#job.queued.ready", actions: "record" },
          },
        },
        cancelling: {},
      },
      on: {
        "job.progressed": { actions: "record" },
        "job.history_limited": { actions: "record" },
        "job.late_result_refused": { actions: "record" },
        "job.cancelled": { target: "cancelled", actions: "record" },
      },
    },
    completed: {
      on: {
        "job.deleted": { target: "deleted", actions: "record" },
        "job.late_result_refused": { actions: "record" },
      },
    },
    failed: {
      on: {
        "job.retried": { target: "queued.ready", actions: "record" },
        "job.deleted": { target: "deleted", actions: "record" },
        "job.late_result_refused": { actions: "record" },
      },
    },
    cancelled: {
      on: {
        "job.retried": { target: "queued.ready", actions: "record" },
        "job.deleted": { target: "deleted", actions: "record" },
        "job.late_result_refused": { actions: "record" },
      },
    },
    deleted: {
      on: { "job.late_result_refused": { actions: "record" } },
    },
  },
});

export type JobMachine = typeof jobMachineV1;

/** Every published definition by its version. */
export const JOB_MACHINES: ReadonlyMap<number, JobMachine> = new Map([[1, jobMachineV1]]);

/** The version that new jobs are created under. */
export const MACHINE_VERSION = 1;
