/**
 * Copies of payloads for code that is not Daybook's: a schema or a handler may change what it is given, and what is in
 * memory must stay what the log says.
 *
 * @module
 */
import type { Json } from "../handlers/handler.ts";

/** A deep copy; for a small payload `structuredClone` takes ten times as long. No key may be `__proto__`. */
export function copyJson<Value extends Json>(value: Value): Value;
export function copyJson(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => copyJson(member));
  const copy: { [key: string]: Json } = {};
  for (const key in value) copy[key] = copyJson(value[key]!);
  return copy;
}
