/**
 * The schemas of single values, shared by bodies and queries.
 *
 * @module
 */
import { z } from "zod";
import { JOB_PRIORITIES, JOB_STATUSES, MAX_RETRIES_LIMIT } from "../actors/job/job.ts";
import type { JobSpec } from "../actors/jobs.ts";

const LONGEST_WAIT_SECONDS = 30 * 86_400;

export const status = z.enum(JOB_STATUSES);
export const priority = z.enum(JOB_PRIORITIES);

export const queue = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, {
  error: "a queue's name has 1 to 64 of the characters A-Z a-z 0-9 _ . -",
});

export const tag = z.string().refine((text) => text.length > 0 && characters(text) <= 64, {
  error: "a tag has 1 to 64 characters",
});

/** In the order given, each once. */
export const tags = z.array(tag).max(20).transform((all) => [...new Set(all)]);

export const maxRetries = z.int().min(0).max(MAX_RETRIES_LIMIT);

export const timeoutSeconds = z.number().gt(0).max(86_400);

/** Members that are left out are filled in from the default, or from the job that is changed. */
export const backoff = z.strictObject({
  base_seconds: z.number().min(0).max(LONGEST_WAIT_SECONDS).exactOptional(),
  factor: z.number().min(1).max(10).exactOptional(),
  max_seconds: z.number().min(0).max(LONGEST_WAIT_SECONDS).exactOptional(),
  jitter: z.number().min(0).max(1).exactOptional(),
});

/** A time with `Z` or an offset, as the milliseconds since the epoch. */
export const instant = z.iso.datetime({ offset: true }).transform((text, context) => {
  const ms = Date.parse(text);
  // An offset can carry the last hours of the year 9999 into a year that the written form has no digits for.
  if (ms >= EARLIEST && ms <= LATEST) return ms;
  context.addIssue({ code: "custom", message: "a time's year in UTC must be from 0000 to 9999" });
  return z.NEVER;
});

/** The same as the contract writes times: UTC, milliseconds, `Z`. */
export const time = instant.transform((ms) => new Date(ms).toISOString());

/** Checked by {@linkcode checkPayload} against the job's type. */
export const payload = z.record(z.string(), z.custom<JobSpec["payload"][string]>());

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

const EARLIEST = Date.parse("0000-01-01T00:00:00.000Z");
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");

function inRange(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function characters(text: string): number {
  return [...text].length;
}
