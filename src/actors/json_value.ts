/**
 * What a JSON text may hold beyond its grammar, so that whatever gets in can be stored, hashed and given out
 * unchanged: numbers that a double can hold, well-formed strings, a bounded depth, and no `__proto__` key.
 *
 * @module
 */
import type { JsonObject } from "../handlers/handler.ts";

/** Levels of objects and arrays in a body or a result. */
export const MAX_JSON_DEPTH = 64;

export interface JsonFault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Whether a parsed JSON text is an object, as bodies, payloads and results must be. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first fault of a parsed JSON text, or `undefined`. */
export function findJsonFault(value: unknown, depth = 1): JsonFault | undefined {
  if (typeof value === "string") {
    return value.isWellFormed() ? undefined : fault("a string with a lone surrogate is not Unicode text");
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : fault("a number is too large for a 64-bit float");
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > MAX_JSON_DEPTH) return fault(`nested deeper than ${MAX_JSON_DEPTH} levels`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = findJsonFault(value[index], depth + 1);
      if (found) return below(index, found);
    }
    return undefined;
  }
  for (const [key, member] of Object.entries(value)) {
    // Copied by assignment it would become the prototype of the copy, and vanish from the data.
    if (key === "__proto__") return below(key, fault("a field cannot be named '__proto__'"));
    if (!key.isWellFormed()) {
      return below(key, fault("a field's name with a lone surrogate is not Unicode text"));
    }
    const found = findJsonFault(member, depth + 1);
    if (found) return below(key, found);
  }
  return undefined;
}

function fault(message: string): JsonFault {
  return { path: [], message };
}

function below(key: PropertyKey, found: JsonFault): JsonFault {
  return { path: [key, ...found.path], message: found.message };
}
