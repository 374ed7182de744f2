/**
 * A log line, as text or as a JSON object. Times are UTC; one record is one line; secrets are redacted.
 *
 * @module
 */
import { oneLine } from "./one_line.ts";
import { isSecretName, redact } from "./redact.ts";

/** A record as the formats see it. */
export interface Line {
  readonly time: Date;
  readonly logger: string;
  /** As shown: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`. */
  readonly level: string;
  readonly message: string;
  /** Further facts, such as `job_id`; only JSON shows them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export type LineFormat = (line: Line) => string;

/** `2026-01-07 10:15:32 - background_worker - INFO - message`. */
export function textLine(line: Line): string {
  return `${clock(line.time)} - ${line.logger} - ${line.level} - ${oneLine(redact(line.message))}`;
}

/** `{"time":"2026-01-07T10:15:32.123Z","logger":…,"level":…,"message":…}` and the fields behind them. */
export function jsonLine(line: Line): string {
  const record: Record<string, unknown> = {
    time: line.time.toISOString(),
    logger: line.logger,
    level: line.level,
    message: line.message,
  };
  const named = { ...record };
  // A field must not speak for the record: one named like its own parts keeps its value under `<name>_`.
  for (const [name, value] of Object.entries(line.fields)) {
    named[Object.hasOwn(record, name) ? `${name}_` : name] = value;
  }
  return oneLine(stringify(named) ?? stringify({ ...record, fields_error: "not JSON" }) ?? "{}");
}

function stringify(record: object): string | undefined {
  try {
    return JSON.stringify(record, plain);
  } catch {
    return undefined;
  }
}

function plain(name: string, value: unknown): unknown {
  if (value !== null && isSecretName(name)) return "***";
  if (typeof value === "string") return redact(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Error) return redact(`${value.name}: ${value.message}`);
  return value;
}

let lastSecond = NaN;
let lastClock = "";

/** Most lines share their second with the line before. */
function clock(time: Date): string {
  const second = Math.floor(time.getTime() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastClock = time.toISOString().slice(0, 19).replace("T", " ");
  }
  return lastClock;
}
