/**
 * The schemas of a job's plain fields, as callers name them in bodies, queries and payloads.
 *
 * @module
 */
import { z } from "zod";
import { JOB_PRIORITIES, JOB_STATUSES } from "./job/job.ts";

export const status = z.enum(JOB_STATUSES);
export const priority = z.enum(JOB_PRIORITIES);

export const queue = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, {
  error: "a queue's name has 1 to 64 of the characters A-Z a-z 0-9 _ . -",
});

export const tag = z.string().refine((text) => text.length > 0 && characters(text) <= 64, {
  error: "a tag has 1 to 64 characters",
});

/** Why somebody asks for what they ask. */
export const reason = z.string().refine(
  (text) => text.length > 0 && encoder.encode(text).byteLength <= 1024,
  {
    error: "a reason has 1 to 1024 bytes in UTF-8",
  },
);

/** A time with `Z` or an offset, as the milliseconds since the epoch. */
export const instant = z.iso.datetime({ offset: true }).transform((text, context) => {
  const ms = Date.parse(text);
  // An offset can carry the last hours of the year 9999 into a year that the written form has no digits for.
  if (ms >= EARLIEST && ms <= LATEST) return ms;
  context.addIssue({ code: "custom", message: "a time's year in UTC must be from 0000 to 9999" });
  return z.NEVER;
});

const EARLIEST = Date.parse("0000-01-01T00:00:00.000Z");
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");
const encoder = new TextEncoder();

function characters(text: string): number {
  return [...text].length;
}
