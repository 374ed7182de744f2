/**
 * From whatever a handler did to an outcome that can be recorded. Total: nothing a handler answers or throws escapes.
 *
 * @module
 */
import type { JsonObject } from "../handlers/handler.ts";
import type { Outcome } from "./job/commands.ts";
import { MAX_PAYLOAD_BYTES } from "./job/job.ts";
import { findJsonFault } from "./json_value.ts";

const MAX_MESSAGE_BYTES = 4 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The handler answered; its result must be a JSON object of at most 48 KiB that can be given out unchanged, or nothing. A text
 * that was cut within a character is mended, since its work is done.
 */
export function completed(result: unknown): Outcome {
  try {
    if (result === undefined || result === null) return { type: "completed", result: null };
    const json = JSON.stringify(result);
    if (json === undefined || !json.startsWith("{")) {
      throw new TypeError(`the handler's result is not a JSON object but ${describe(result)}`);
    }
    // No character has more than three bytes for each of its UTF-16 units, so most need no counting.
    const bytes = json.length * 3 <= MAX_PAYLOAD_BYTES ? 0 : encoder.encode(json).length;
    if (bytes > MAX_PAYLOAD_BYTES) {
      throw new RangeError(
        `the handler's result has ${bytes} bytes as JSON, at most ${MAX_PAYLOAD_BYTES} are allowed`,
      );
    }
    // A lone surrogate, which JSON writes so; everything else is not Unicode's.
    const parsed: JsonObject = json.includes("\\ud") ? JSON.parse(json, wellFormed) : JSON.parse(json);
    const fault = findJsonFault(parsed);
    if (fault) {
      throw new TypeError(
        `the handler's result cannot be kept, at '${String(fault.path[0])}': ${fault.message}`,
      );
    }
    return { type: "completed", result: parsed };
  } catch (error) {
    return failed(error);
  }
}

function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** The handler threw; `retryable: false` on the error says that no retry can help. */
export function failed(error: unknown): Outcome {
  return { type: "failed", errorMessage: errorMessage(error), retryable: isRetryable(error) };
}

/** `Name: message`, at most 4 KiB. */
export function errorMessage(error: unknown): string {
  try {
    if (error instanceof Error) return truncate(`${error.name}: ${error.message}`);
    return truncate(`Error: ${typeof error === "string" ? error : describe(error)}`);
  } catch {
    return "Error: the handler threw something that cannot be described";
  }
}

function isRetryable(error: unknown): boolean {
  try {
    return (error as { retryable?: unknown } | null | undefined)?.retryable !== false;
  } catch {
    return true;
  }
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? Deno.inspect(value, { depth: 1 }) : String(value);
}

function truncate(text: string): string {
  const whole = text.toWellFormed();
  if (whole.length * 3 <= MAX_MESSAGE_BYTES) return whole;
  const bytes = encoder.encode(whole);
  if (bytes.length <= MAX_MESSAGE_BYTES) return whole;
  // A character cut in half decodes to a replacement character of three bytes.
  return decoder.decode(bytes.subarray(0, MAX_MESSAGE_BYTES - 6)).replace(/\uFFFD$/, "") + "…";
}
