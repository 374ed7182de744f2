/**
 * The machine as a table, for the hot path.
 *
 * XState's pure `transition()` costs some 25 µs, which at three events a job would bound the whole runtime; a look-up
 * costs a hundredth. The table is read off the XState definition when the process starts and is proved equal to it by
 * the tests: the machine stays the only definition.
 *
 * @module
 */
import type { JobEventType } from "./events.ts";
import { JOB_MACHINES, type JobMachine } from "./machine.ts";

/** A leaf of the machine as a path, such as `queued.ready` or `failed`. */
export type JobPhase =
  | "absent"
  | "queued.ready"
  | "queued.scheduled"
  | "queued.retrying"
  | "processing.running"
  | "processing.cancelling"
  | "completed"
  | "failed"
  | "cancelled"
  | "deleted";

interface Edge {
  /** `undefined` where there is no guard. */
  readonly guard: ((args: { event: unknown }) => boolean) | undefined;
  readonly target: JobPhase;
}

export type TransitionTable = ReadonlyMap<JobPhase, ReadonlyMap<JobEventType, readonly Edge[]>>;

const tables = new Map<number, TransitionTable>(
  [...JOB_MACHINES].map(([version, machine]) => [version, tableOf(machine)]),
);

/** The phase that an event leads to, `undefined` when the machine of this version, if there is one, has no such transition. */
export function nextPhase(
  machineVersion: number,
  phase: JobPhase,
  event: { readonly type: string; readonly data: unknown },
): JobPhase | undefined {
  const edges = tables.get(machineVersion)?.get(phase)?.get(event.type as JobEventType);
  return edges?.find(({ guard }) => guard === undefined || guard({ event }))?.target;
}

/** Whether any event of this type is possible in the phase. */
export function canHappen(machineVersion: number, phase: JobPhase, type: JobEventType): boolean {
  return tables.get(machineVersion)?.get(phase)?.has(type) ?? false;
}

type Node = JobMachine["root"];

function tableOf(machine: JobMachine): TransitionTable {
  const guards = machine.implementations.guards as Record<string, Edge["guard"]>;
  const table = new Map<JobPhase, Map<JobEventType, Edge[]>>();
  for (const leaf of leavesOf(machine.root)) {
    const edges = new Map<JobEventType, Edge[]>();
    for (let node: Node | undefined = leaf; node; node = node.parent as Node | undefined) {
      for (const [type, definitions] of node.transitions) {
        // What a child says of an event comes before what its parent says.
        const known = edges.get(type as JobEventType) ?? [];
        const added = definitions.map(({ guard, target }) => ({
          guard: guard === undefined ? undefined : guards[guard as string]!,
          target: phaseOf(target?.[0] ? entered(target[0] as Node) : leaf),
        }));
        edges.set(type as JobEventType, [...known, ...added]);
      }
    }
    table.set(phaseOf(leaf), edges);
  }
  return table;
}

function leavesOf(node: Node): Node[] {
  const children = Object.values(node.states) as Node[];
  return children.length === 0 ? [node] : children.flatMap(leavesOf);
}

/** The leaf that is reached when a state is entered. */
function entered(node: Node): Node {
  const initial = node.config.initial;
  return typeof initial === "string" ? entered((node.states as Record<string, Node>)[initial]!) : node;
}

function phaseOf(leaf: Node): JobPhase {
  return leaf.path.join(".") as JobPhase;
}
