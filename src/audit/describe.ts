/**
 * What was found, in words.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { Difference, Violation } from "./findings.ts";
import { parsedJson } from "./same_value.ts";

/** Of a value that is shown. */
const MAX_TEXT = 200;
const decoder = new TextDecoder();

type Fields = Record<string, unknown>;

export function describeViolation({ position, what }: Violation): string {
  return position === null ? what : `position ${position}: ${what}`;
}

/** The key, then what its value is and should be; of two objects the fields that differ. */
export function describeDifference({ key, is, shouldBe }: Difference): string {
  const name = JSON.stringify(key);
  if (!is) return `${name}: is missing, should be ${valueText(shouldBe!)}`;
  if (!shouldBe) return `${name}: is ${valueText(is)}, should not be there`;
  const [left, right] = [parsedJson(is), parsedJson(shouldBe)];
  if (isObject(left) && isObject(right)) return `${name}: ${fieldDifferences(left, right)}`;
  return `${name}: is ${valueText(is)}, should be ${valueText(shouldBe)}`;
}

/** The value as JSON if it is some, as text otherwise; `null` when there is none. */
export function shownValue(value: Uint8Array | null): unknown {
  return value && (parsedJson(value) ?? decoder.decode(value));
}

function fieldDifferences(is: Fields, shouldBe: Fields): string {
  return Object.keys({ ...shouldBe, ...is })
    .filter((field) => !isDeepStrictEqual(is[field], shouldBe[field]))
    .map((field) => `${field} is ${fieldText(is[field])}, should be ${fieldText(shouldBe[field])}`)
    .join("; ");
}

function fieldText(value: unknown): string {
  return value === undefined ? "missing" : cut(JSON.stringify(value));
}

function valueText(value: Uint8Array): string {
  return value.length === 0 ? "there, empty" : cut(decoder.decode(value));
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
