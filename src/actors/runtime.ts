/**
 * The runtime: log, commands, queries and supervisor put together on a store.
 *
 * `main.ts` runs one behind the HTTP interface; a program that embeds Daybook can run one without.
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import { type ActorRefFrom, createActor, waitFor } from "xstate";
import { type Clock, systemClock } from "../events/clock.ts";
import { EventLog } from "../events/event_log.ts";
import { monotonicIds } from "../events/ids.ts";
import { TreeFollower } from "../events/merkle/tree_follower.ts";
import type { StepGrower } from "../events/merkle/growth_step.ts";
import type { Store } from "../events/store.ts";
import type { HandlerServices } from "../handlers/handler.ts";
import { AttemptPool, type AttemptPoolOptions } from "./attempt_pool.ts";
import { BULK_QUEUE } from "./bulk_job_type.ts";
import { bulkOperation } from "./bulk_operation.ts";
import { countSelected } from "./bulk_selection.ts";
import { JobCounts } from "./job/counts.ts";
import { type JobChange, JobProjector } from "./job/projector.ts";
import { RunningJobs } from "./job/running.ts";
import { JobCommandService } from "./job_command_service.ts";
import { JobProcessor } from "./job_processor.ts";
import { JobQueryService } from "./job_query_service.ts";
import { JobScheduler } from "./job_scheduler.ts";
import { JobStates } from "./job_states.ts";
import type { JobTypeRegistry } from "./job_type_registry.ts";
import type { BulkQueries, Jobs } from "./jobs.ts";
import { Records } from "./records.ts";
import { JobsAsOf } from "./jobs_as_of.ts";
import { recoverInterrupted } from "./recovery.ts";
import { WaitingJobs } from "./job/waiting.ts";
import { SharedReads } from "./shared_reads.ts";
import { StoredJobs } from "./stored_jobs.ts";
import { supervisorMachine, type SupervisorParts } from "./supervisor.ts";

export interface RuntimeOptions {
  readonly store: Store;
  /** The runtime adds its own, `bulk_operation`. */
  readonly jobTypes: JobTypeRegistry;
  readonly services: HandlerServices;
  /** How many handlers run at once. */
  readonly concurrency: number;
  readonly clock?: Clock;
  /** Draws from [0, 1) for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Default: handlers' lines go nowhere. */
  readonly handlerLog?: AttemptPoolOptions["handlerLog"];
  readonly onAbandoned?: AttemptPoolOptions["onAbandoned"];
  readonly onError?: (error: unknown) => void;
  readonly onRecovered?: SupervisorParts["onRecovered"];
  readonly onRestart?: SupervisorParts["onRestart"];
  /** Ed25519 key that signs checkpoints of the log. Default: none are made. */
  readonly signingKey?: KeyObject;
  /** Grows the log's Merkle tree. Default: on this thread. */
  readonly treeGrower?: StepGrower;
  /** Told of each checkpoint as it is signed. */
  readonly onCheckpoint?: (note: string) => void;
  /** How long a stop waits for running handlers before their signals fire, in milliseconds. Default 5000. */
  readonly patienceMs?: number;
  /** How long it waits after that before it gives jobs back. Default 5000. */
  readonly graceMs?: number;
  /** As in the log's options. */
  readonly deadlineMs?: number;
  readonly unknownAfterMs?: number;
}

export class Runtime {
  readonly #pool: AttemptPool;
  #started = false;
  #stopped: Promise<void> | undefined;
  readonly #supervisor: ActorRefFrom<ReturnType<typeof supervisorMachine>>;

  private constructor(
    readonly log: EventLog<JobChange>,
    readonly processor: JobProcessor,
    readonly jobs: Jobs,
    pool: AttemptPool,
    supervisor: ActorRefFrom<ReturnType<typeof supervisorMachine>>,
    /** Keeps the log's Merkle tree, with a signing key. */
    readonly tree: TreeFollower | undefined,
    /** What happens that is no job's. */
    readonly records: Records,
  ) {
    this.#pool = pool;
    this.#supervisor = supervisor;
  }

  /** Opens the log on the store; jobs start to run with {@linkcode start}. The runtime closes the store. */
  static async open(options: RuntimeOptions): Promise<Runtime> {
    const { store, jobTypes, services, concurrency, onError = () => {} } = options;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    const counts = new JobCounts();
    const running = new RunningJobs();
    const waiting = new WaitingJobs(store);
    const log: EventLog<JobChange> = await EventLog.open<JobChange>({
      store,
      clock,
      projector: new JobProjector(counts, running, waiting),
      newId: monotonicIds(() => clock.now()),
      ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
      ...(options.unknownAfterMs !== undefined && { unknownAfterMs: options.unknownAfterMs }),
    });
    // Only now does no other process change them any more, not even by a commit that is still on its way.
    await Promise.all([counts.load(store, clock.now()), running.load(store, log)]);
    waiting.load(log.position);
    const stored = new StoredJobs({ store, log, running });
    const shared = new SharedReads(log);
    const storedForMany = new StoredJobs({ store, log: shared, running });
    const states = new JobStates(stored, storedForMany);
    const processor = new JobProcessor({ log, states, clock, random });
    const now = () => Math.max(clock.now(), log.time);
    const handles = (jobType: string) => jobTypes.get(jobType) !== undefined;
    const restart = (error: unknown) => supervisor.send({ type: "child.failed", error });
    const scheduler: JobScheduler = new JobScheduler({
      store,
      log: shared,
      handles,
      jobTypes: () => jobTypes.names(),
      read: (jobs) => storedForMany.read(jobs),
      now,
      preload: (find) => states.preload(find),
      onFound: () => pool.fill(),
      reservedQueue: BULK_QUEUE,
      onError: restart,
    });
    const pool: AttemptPool = new AttemptPool({
      log,
      states,
      processor,
      scheduler,
      jobTypes,
      services,
      clock,
      concurrency,
      onUnreadable: restart,
      onError,
      handlerLog: options.handlerLog ?? (() => () => {}),
      onAbandoned: options.onAbandoned ?? (() => {}),
    });
    const queries = new JobQueryService({ log, store, stored, states, counts, running, clock });
    const commands = new JobCommandService({ log, store, processor, queries, pool, clock });
    const sources = { store, log, stored, counts, running, now };
    jobTypes.register(bulkOperation({ log, sources, states, processor, queries }));
    const bulk: BulkQueries = {
      count: (selection, signal) => countSelected(sources, selection, { signal }),
    };
    const supervisor = createActor(
      supervisorMachine({
        log,
        pool,
        scheduler,
        clock,
        queues: () => queuesWithWaiting(counts, handles),
        recover: () => recoverInterrupted(running, processor),
        onRecovered: options.onRecovered ?? (() => {}),
        onRestart: options.onRestart ?? (() => {}),
        patienceMs: options.patienceMs ?? 5_000,
        graceMs: options.graceMs ?? 5_000,
      }),
      {
        clock: {
          setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
          clearTimeout: (timer) => clock.clearTimeout(timer),
        },
      },
    );
    const tree = options.signingKey && followTree(log, options.signingKey, options);
    return new Runtime(
      log,
      processor,
      { jobTypes, commands, queries, bulk, asOf: new JobsAsOf({ log, states, queries, now }) },
      pool,
      supervisor,
      tree,
      new Records({ log, store }),
    );
  }

  /** Recovers what the last process left running, then starts due jobs, now and from now on. */
  start(): void {
    this.#started = true;
    this.#supervisor.start();
  }

  /** Attempts that ended since the start. */
  get processed(): number {
    return this.#pool.processed;
  }

  /** Handlers that run now. */
  get running(): number {
    return this.#pool.running;
  }

  /** Resolves with the error when the supervisor gave up; never otherwise. */
  async failure(): Promise<unknown> {
    const { context } = await waitFor(this.#supervisor, (snapshot) => snapshot.matches("givenUp"), {
      timeout: Infinity,
    }).catch(() => new Promise<never>(() => {}));
    return context.error;
  }

  /** Takes no new work, waits for what runs, gives back what does not end, and closes the log. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** While stopping: no longer wait for handlers. */
  hurry(): void {
    this.#supervisor.send({ type: "hurry" });
  }

  async #stop(): Promise<void> {
    if (this.#started) {
      this.#supervisor.send({ type: "stop" });
      await waitFor(this.#supervisor, (snapshot) => snapshot.status !== "active", { timeout: Infinity });
    }
    await this.log.drain();
    await this.tree?.close();
    await this.log.close();
  }
}

/** The queues in which jobs wait that can be started here. */
function* queuesWithWaiting(counts: JobCounts, handles: (jobType: string) => boolean): Generator<string> {
  for (const { queue, jobType, counts: { queued } } of counts.lanes()) {
    if (queued > 0 && handles(jobType)) yield queue;
  }
}

function followTree(log: EventLog<JobChange>, privateKey: KeyObject, options: RuntimeOptions): TreeFollower {
  const { store, clock = systemClock, treeGrower, onCheckpoint, onError = () => {} } = options;
  const tree = new TreeFollower({
    store,
    partition: 0,
    position: () => log.position,
    signer: { name: log.logId, privateKey },
    clock,
    onError,
    ...(treeGrower && { grower: treeGrower }),
    ...(onCheckpoint && { onCheckpoint }),
  });
  log.listen({ landed: () => tree.landed() });
  return tree;
}
