/**
 * BullMQ as its documentation has it: one queue, one worker with a concurrency factor, each on its own connection.
 *
 * @module
 */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { carryOut } from "../assignment.ts";
import { type JobSystem, PAYLOAD, type WorkerSettings } from "../work.ts";

/** "Something between 100 and 300 is a quite standard setting": its guide, on parallelism and concurrency. */
const RECOMMENDED_CONCURRENCY = 100;
const JOB = { name: "noop", data: PAYLOAD };

await carryOut(open);

async function open(address: string, name: string, { concurrency }: WorkerSettings): Promise<JobSystem> {
  // BullMQ finds `ioredis` by itself in Node only.
  const connections = Array.from({ length: 2 }, () => new Redis(address, { maxRetriesPerRequest: null }));
  const [toAdd, toWork] = connections as [Redis, Redis];
  const queue = new Queue(name, { connection: toAdd });
  const worker = new Worker(name, () => Promise.resolve({}), {
    connection: toWork,
    concurrency: concurrency === "recommended" ? RECOMMENDED_CONCURRENCY : concurrency,
    autorun: false,
  });
  queue.on("error", failLoudly);
  worker.on("error", failLoudly);
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);

  return {
    add: async (payload) => (await queue.add(JOB.name, payload)).id!,
    addBatch: async (jobs) => {
      await queue.addBulk(Array(jobs).fill(JOB));
    },
    work: () => {
      worker.run().catch(failLoudly);
      return Promise.resolve();
    },
    completions: (completed) => {
      const tell = ({ id }: { id?: string | undefined }) => completed(id!);
      worker.on("completed", tell);
      return () => worker.off("completed", tell);
    },
    counts: async () => {
      const { completed, ...others } = await queue.getJobCounts("completed", "waiting", "active", "delayed");
      return { completed: completed!, waiting: Object.values(others).reduce((sum, count) => sum + count, 0) };
    },
    [Symbol.asyncDispose]: async () => {
      await worker.close();
      await queue.close();
      await Promise.all(connections.map((connection) => connection.quit()));
    },
  };
}

/** Thrown in a listener, an error would only be told of to the same listener. */
function failLoudly(error: Error): void {
  console.error(error);
  Deno.exit(1);
}
