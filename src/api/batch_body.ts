/**
 * The body of a batch: its bounds, and each item judged by itself, exactly as the body of a single create.
 *
 * @module
 */
import canonicalize from "canonicalize";
import { createHash } from "node:crypto";
import type { JobSpec } from "../actors/jobs.ts";
import { findJsonFault } from "../actors/json_value.ts";
import { type JsonBody, readUncheckedJsonBody } from "./body.ts";
import type { ApiContext } from "./context.ts";
import { fit, pointerItems } from "./fit.ts";
import type { SpecReader } from "./job_spec.ts";
import { doesNotFit, fieldDoesNotFit, pointer, ProblemError } from "./problem.ts";
import { createBatchBody } from "./schemas.ts";

export const MAX_BATCH_JOBS = 1_000;
export const MAX_BATCH_BYTES = 16 * 1024 * 1024;
export const MAX_ATOMIC_JOBS = 100;
export const MAX_ATOMIC_BYTES = 400 * 1024;

export interface Batch {
  readonly items: readonly Item[];
  readonly atomic: boolean;
}

export type Item = Fitting | Refused;

interface Fitting {
  readonly spec: JobSpec;
  /** What the caller sent. */
  readonly wish: unknown;
}

export interface Refused {
  /** With pointers into the body of the batch. */
  readonly refused: ProblemError;
  /** Of the item itself. */
  readonly pointer: string;
  readonly wish: unknown;
}

/** @throws {ProblemError} As for a single body, and 413 or 422 for a batch that is none. */
export async function readBatch(c: ApiContext, readSpec: SpecReader): Promise<Batch> {
  const body = await readUncheckedJsonBody(c, MAX_BATCH_BYTES);
  const { jobs, atomic = false } = membersOf(body);
  const items: (Item | Promise<Item>)[] = jobs.map((wish, i) => judge(wish, i, body.bytes, readSpec));
  const asynchronous = items.some((item) => item instanceof Promise);
  return { atomic, items: asynchronous ? await Promise.all(items) : items as Item[] };
}

/** The same for equal JSON of which the same items fit. */
export function hashOfBatch({ items, atomic }: Batch): string {
  const hash = createHash("sha256").update(String(atomic));
  for (const item of items) {
    // What was refused may be nothing that has a canonical form.
    hash.update("spec" in item ? `\n+${canonicalize(item.wish)}` : `\n-${JSON.stringify(item.wish)}`);
  }
  return hash.digest("hex");
}

function membersOf({ value, bytes }: JsonBody) {
  if (Array.isArray(value.jobs) && value.jobs.length > MAX_BATCH_JOBS) {
    throw new ProblemError(
      413,
      `A batch may have at most ${MAX_BATCH_JOBS} jobs, this one has ${value.jobs.length}`,
    );
  }
  const fitted = fit(createBatchBody, value, { part: "field", whole: "body" });
  if (!fitted.fits) throw doesNotFit(pointerItems(fitted.misfits));
  const { jobs, atomic } = fitted.value;
  if (atomic && (jobs.length > MAX_ATOMIC_JOBS || bytes > MAX_ATOMIC_BYTES)) {
    throw new ProblemError(
      413,
      `An atomic batch may have at most ${MAX_ATOMIC_JOBS} jobs in ${MAX_ATOMIC_BYTES} bytes, ` +
        `this one has ${jobs.length} in ${bytes}`,
    );
  }
  return fitted.value;
}

function judge(wish: unknown, index: number, bytes: number, readSpec: SpecReader): Item | Promise<Item> {
  const refuse = (error: unknown): Refused => {
    if (!(error instanceof ProblemError)) throw error;
    return { refused: within(error, `/jobs/${index}`), pointer: `/jobs/${index}`, wish };
  };
  try {
    const fault = findJsonFault(wish);
    if (fault) throw fieldDoesNotFit(pointer(fault.path), fault.message);
    const spec = readSpec(wish, bytes);
    return spec instanceof Promise ? spec.then((spec) => ({ spec, wish }), refuse) : { spec, wish };
  } catch (error) {
    return refuse(error);
  }
}

/** The same with pointers that lead on from `base`. */
function within({ status, detail, headers, errors }: ProblemError, base: string): ProblemError {
  return new ProblemError(
    status,
    detail,
    headers,
    errors?.map((item) => "pointer" in item ? { ...item, pointer: base + item.pointer } : item),
  );
}
