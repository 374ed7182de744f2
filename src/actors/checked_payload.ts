/**
 * A payload against the schema of its job type.
 *
 * Schemas and handlers are not Daybook's, and may change what they are given: each check is made of a copy, so that what
 * is in memory stays what the log says.
 *
 * @module
 */
import { z } from "zod";
import type { Json, JsonObject } from "../handlers/handler.ts";

/**
 * Schemas that were found to have asynchronous checks. To try one the other way first would make the check twice, and leave
 * the first one's error to nobody.
 */
const asynchronous = new WeakSet<z.ZodType>();

/** What the schema makes of the payload; a promise only where it has asynchronous checks. No key may be `__proto__`. */
export function checkedPayload<T>(
  schema: z.ZodType<T>,
  payload: JsonObject,
  params?: z.core.ParseContext<z.core.$ZodIssue>,
): z.ZodSafeParseResult<T> | Promise<z.ZodSafeParseResult<T>> {
  if (asynchronous.has(schema)) return schema.safeParseAsync(copy(payload), params);
  try {
    // Compiled by zod, which its asynchronous way is not: that one costs several times as much.
    return schema.safeParse(copy(payload), params);
  } catch (error) {
    if (!(error instanceof z.core.$ZodAsyncError)) throw error;
    asynchronous.add(schema);
    return schema.safeParseAsync(copy(payload), params);
  }
}

/** A deep copy; of a small payload `structuredClone` takes ten times as long. */
function copy(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const members: JsonObject = {};
  for (const key in value) members[key] = copy(value[key]!);
  return members;
}
