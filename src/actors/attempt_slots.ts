/**
 * The slots that attempts hold: as many ordinary ones as the concurrency allows, and those reserved for one queue.
 *
 * @module
 */
import { TransientMap } from "../events/transient_map.ts";
import type { Attempt } from "./attempt.ts";

export const SLOT_KINDS = ["ordinary", "reserved"] as const;
export type SlotKind = typeof SLOT_KINDS[number];

export interface Slot {
  readonly kind: SlotKind;
  /** What the slot is held for: reading a job's state or payload, committing its start, or its handler. */
  stage: "reading" | "starting" | "running";
  /** Made while its start is being committed, or later; its handler runs in the stage `running`. */
  attempt?: Attempt;
}

export class AttemptSlots {
  readonly #capacity: Readonly<Record<SlotKind, number>>;
  readonly #taken: Record<SlotKind, number> = { ordinary: 0, reserved: 0 };
  /** By the id of the job that holds the slot. */
  readonly #slots = new TransientMap<string, Slot>();

  constructor(capacity: Readonly<Record<SlotKind, number>>) {
    this.#capacity = capacity;
  }

  isFree(kind: SlotKind): boolean {
    return this.#taken[kind] < this.#capacity[kind];
  }

  /** How many slots of either kind are taken. */
  get size(): number {
    return this.#slots.size;
  }

  get(jobId: string): Slot | undefined {
    return this.#slots.get(jobId);
  }

  /** The job holds no slot yet. */
  take(jobId: string, kind: SlotKind, stage: "reading" | "starting"): Slot {
    const slot: Slot = { kind, stage };
    this.#slots.set(jobId, slot);
    this.#taken[kind] += 1;
    return slot;
  }

  /** Does nothing when the job holds none. */
  release(jobId: string): void {
    const slot = this.#slots.get(jobId);
    if (!slot) return;
    this.#slots.delete(jobId);
    this.#taken[slot.kind] -= 1;
  }

  /** Gives up every start that is being committed. */
  releaseStarting(): void {
    for (const [jobId, { stage }] of this.#slots.entries()) if (stage === "starting") this.release(jobId);
  }

  /** The attempts whose handlers run. */
  attempts(): Attempt[] {
    return this.#slots.entries().flatMap(([, slot]) => runningIn(slot) ?? []);
  }

  /** The job's attempt, if its handler runs. */
  attemptOf(jobId: string): Attempt | undefined {
    return runningIn(this.#slots.get(jobId));
  }
}

function runningIn(slot: Slot | undefined): Attempt | undefined {
  return slot?.stage === "running" ? slot.attempt : undefined;
}
