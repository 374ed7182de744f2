/**
 * The job types that this process has handlers for.
 *
 * @module
 */
import type { JobHandler } from "../handlers/handler.ts";
import { MAX_TIMEOUT_SECONDS, TIMEOUT_SECONDS_DEFAULT } from "./job/job.ts";
import type { JobTypes } from "./jobs.ts";

// deno-lint-ignore no-explicit-any -- each handler checks its own payload before it runs
export type AnyHandler = JobHandler<any, any>;

export interface JobType {
  readonly handler: AnyHandler;
  readonly payloadSchema: AnyHandler["payloadSchema"];
  readonly timeoutSeconds: number;
  /** Where a Worker finds the handler as the default export; needed only for `isolate`. */
  readonly moduleUrl: string | undefined;
}

export class JobTypeRegistry implements JobTypes {
  readonly #types = new Map<string, JobType>();

  /** @throws {TypeError} If the type is taken, its time limit is none, or an isolated handler has no module. */
  register(handler: AnyHandler, moduleUrl?: string): this {
    const { jobType, payloadSchema, timeoutSeconds = TIMEOUT_SECONDS_DEFAULT } = handler;
    if (this.#types.has(jobType)) throw new TypeError(`There are two handlers for job type '${jobType}'`);
    if (
      !(typeof timeoutSeconds === "number" && timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS)
    ) {
      throw new TypeError(
        `timeoutSeconds of job type '${jobType}' must be above 0 and at most ${MAX_TIMEOUT_SECONDS}`,
      );
    }
    if (handler.isolate && !moduleUrl) {
      throw new TypeError(`The isolated job type '${jobType}' needs a module that a Worker can load`);
    }
    this.#types.set(jobType, { handler, payloadSchema, timeoutSeconds, moduleUrl });
    return this;
  }

  get(jobType: string): JobType | undefined {
    return this.#types.get(jobType);
  }

  names(): readonly string[] {
    return [...this.#types.keys()].sort();
  }
}
