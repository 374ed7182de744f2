/**
 * The schemas of single values, shared by bodies and queries.
 *
 * @module
 */
import { z } from "zod";
import { MAX_RETRIES_LIMIT, MAX_TIMEOUT_SECONDS } from "../actors/job/job.ts";
import { instant, priority, queue, reason, status, tag } from "../actors/job_fields.ts";
import type { JobSpec } from "../actors/jobs.ts";
import { isJsonObject } from "../actors/json_value.ts";

const LONGEST_WAIT_SECONDS = 30 * 86_400;

export { instant, priority, queue, reason, status, tag };

/** In the order given, each once. */
export const tags = z.array(tag).max(20).transform((all) => [...new Set(all)]);

export const maxRetries = z.int().min(0).max(MAX_RETRIES_LIMIT);

export const timeoutSeconds = z.number().gt(0).max(MAX_TIMEOUT_SECONDS);

/** Members that are left out are filled in from the default, or from the job that is changed. */
export const backoff = z.strictObject({
  base_seconds: z.number().min(0).max(LONGEST_WAIT_SECONDS).exactOptional(),
  factor: z.number().min(1).max(10).exactOptional(),
  max_seconds: z.number().min(0).max(LONGEST_WAIT_SECONDS).exactOptional(),
  jitter: z.number().min(0).max(1).exactOptional(),
});

/** A time as the contract writes it: UTC, milliseconds, `Z`. */
export const time = instant.transform((ms) => new Date(ms).toISOString());

/** Its fields are checked by {@linkcode checkPayload} against the job's type; the schema of a record would go through them, too. */
export const payload = z.custom<JobSpec["payload"]>(isJsonObject, { error: "must be a JSON object" });

/** An integer as a query spells it. */
export function integerText(min: number, max: number) {
  return z.string().refine((text) => /^(?:0|[1-9]\d{0,14})$/.test(text) && inRange(Number(text), min, max), {
    error: `must be a whole number from ${min} to ${max}`,
  }).transform(Number);
}

/** A number of seconds as a query spells it, decimals allowed. */
export function secondsText(max: number) {
  return z.string().refine((text) => /^\d{1,9}(?:\.\d{1,9})?$/.test(text) && inRange(Number(text), 0, max), {
    error: `must be a number of seconds from 0 to ${max}`,
  }).transform(Number);
}

function inRange(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}
