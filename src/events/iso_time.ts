/**
 * Times as events have them: ISO 8601 in UTC, to the millisecond.
 *
 * What happens together has the same time, so what was converted last is remembered. Beyond that a day's date is: on an
 * idle system, whose code is in no cache, `toISOString` takes 20 µs of the 300 before a job's commit.
 *
 * @module
 */
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIDNIGHT = "00:00:00.000Z";

let written = { ms: NaN, text: "" };
let read = { ms: NaN, text: "" };
let date = { day: NaN, text: "" };

/**
 * As `Date.prototype.toISOString`.
 *
 * @param ms Milliseconds since the epoch, a whole number that a `Date` can hold.
 */
export function toIsoTime(ms: number): string {
  if (ms !== written.ms) written = { ms, text: format(ms) };
  return written.text;
}

/** As `Date.parse`: milliseconds since the epoch. */
export function parseIsoTime(text: string): number {
  if (text === written.text) return written.ms;
  if (text !== read.text) read = { text, ms: Date.parse(text) };
  return read.ms;
}

function format(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day !== date.day) date = { day, text: new Date(day * DAY_MS).toISOString().slice(0, -MIDNIGHT.length) };
  const rest = ms - day * DAY_MS;
  const time = digits(rest / HOUR_MS, 2) + ":" + digits(rest % HOUR_MS / MINUTE_MS, 2) + ":" +
    digits(rest % MINUTE_MS / SECOND_MS, 2) + "." + digits(rest % SECOND_MS, 3);
  // Which makes it one piece: what is put together stays parts to V8, and `JSON.stringify` takes twice as long for
  // whatever holds it.
  return (date.text + time + "Z").toUpperCase();
}

function digits(value: number, count: number): string {
  return String(Math.trunc(value)).padStart(count, "0");
}
