/**
 * Error messages without what they quote of a payload, as log lines may show them: a mail server's refusal names the
 * recipient, and some repeat the mail.
 *
 * @module
 */
import type { Json, JsonObject } from "../handlers/handler.ts";

/** Shorter values are words of any sentence. */
const SHORTEST_VALUE = 3;
/** So many characters in a row that a value has too are taken for a part of it. */
const SHORTEST_PART = 8;
/** No line shows more. */
const MOST_CHARACTERS = 400;

/**
 * `Name: message` with `…` in place of each value of the payload and of each longer part of one, whatever their case. Only
 * the name is left when the payload is not at hand.
 */
export function withoutPayload(error: string, payload: JsonObject | undefined): string {
  if (payload === undefined) return `${/^[\p{L}\p{N}_$.]{1,80}(?=:)/u.exec(error)?.[0] ?? "Error"}: …`;
  const text = error.slice(0, MOST_CHARACTERS);
  const values = valuesOf(payload).map(folded);
  const hidden = new Set<number>();
  const hide = (from: number, length: number) => {
    for (let i = from; i < from + length; i++) hidden.add(i);
  };
  const seen = folded(text);
  for (const value of values) {
    if (value.length < SHORTEST_VALUE) continue;
    for (let at = seen.indexOf(value); at !== -1; at = seen.indexOf(value, at + 1)) hide(at, value.length);
  }
  for (let at = 0; at + SHORTEST_PART <= seen.length; at++) {
    const part = seen.slice(at, at + SHORTEST_PART);
    if (values.some((value) => value.includes(part))) hide(at, SHORTEST_PART);
  }
  return replaced(text, hidden);
}

/** Every text and number in it, at any depth. */
function valuesOf(json: Json): string[] {
  if (typeof json === "string") return [json];
  if (typeof json === "number") return [String(json)];
  if (typeof json !== "object" || json === null) return [];
  return Object.values(json).flatMap(valuesOf);
}

/** In lower case, each character that has one of its own length. */
function folded(text: string): string {
  return text.replace(/\p{Lu}/gu, (upper) => {
    const lower = upper.toLowerCase();
    return lower.length === upper.length ? lower : upper;
  });
}

function replaced(text: string, hidden: ReadonlySet<number>): string {
  let shown = "";
  for (let i = 0; i < text.length; i++) {
    if (!hidden.has(i)) shown += text[i];
    else if (!hidden.has(i - 1)) shown += "…";
  }
  return shown.toWellFormed();
}
