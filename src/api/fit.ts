/**
 * Checks a value against a schema and says in plain words what does not fit, field by field.
 *
 * A message that a schema gives itself is kept; only zod's own wording is replaced. A message that begins with `must`
 * is led in by the name of the field.
 *
 * @module
 */
import type { z } from "zod";
import { checkedPayload } from "../actors/checked_payload.ts";
import type { JobSpec } from "../actors/jobs.ts";
import { pointer, type ProblemItem } from "./problem.ts";

/** A thing that does not fit, with its place in the checked value. */
export interface Misfit {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Words for what is checked: `field` of `payload`, `parameter` of `query`. */
export interface Vocabulary {
  readonly part: "field" | "parameter";
  readonly whole: string;
}

export type Fit<T> =
  | { readonly fits: true; readonly value: T }
  | { readonly fits: false; readonly misfits: readonly [Misfit, ...Misfit[]] };

export function fit<T>(schema: z.ZodType<T>, value: unknown, words: Vocabulary): Fit<T> {
  return fitOf(schema.safeParse(value, { error: describe }), words);
}

/** The same for a payload and the schema of its job type; only one with asynchronous checks is waited for. */
export function fitPayload(
  schema: z.ZodType,
  payload: JobSpec["payload"],
  words: Vocabulary,
): Fit<unknown> | Promise<Fit<unknown>> {
  const result = checkedPayload(schema, payload, { error: describe });
  return result instanceof Promise ? result.then((result) => fitOf(result, words)) : fitOf(result, words);
}

/** The misfits of a body, `base` being the pointer of the value that was checked. */
export function pointerItems(misfits: readonly Misfit[], base = ""): ProblemItem[] {
  return misfits.map(({ path, message }) => ({ pointer: base + pointer(path), message }));
}

/** A name or value of the caller's, short enough for a message. */
export function quoted(text: string): string {
  return text.length > 80 ? `'${text.slice(0, 80)}…'` : `'${text}'`;
}

function fitOf<T>(result: z.ZodSafeParseResult<T>, words: Vocabulary): Fit<T> {
  return result.success ? { fits: true, value: result.data } : misfit(result.error, words);
}

function misfit<T>(error: z.ZodError, words: Vocabulary): Fit<T> {
  const [first, ...rest] = error.issues.flatMap((issue) => misfitsOf(issue, words));
  return {
    fits: false,
    misfits: [first ?? { path: [], message: `the ${words.whole} does not fit` }, ...rest],
  };
}

function misfitsOf(issue: z.core.$ZodIssue, words: Vocabulary): Misfit[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown ${words.part} ${quoted(key)}`,
    }));
  }
  if (issue.code === "invalid_union" && issue.message === NO_ALTERNATIVE && issue.errors.length > 0) {
    // The alternative that comes closest is most likely the one that was meant: it fails inside the value, not as a
    // whole, and at the fewest places.
    const distance = (inner: z.core.$ZodIssue[]) =>
      inner.some(({ path }) => path.length === 0) ? Infinity : inner.length;
    const closest = issue.errors.reduce((best, other) => distance(other) < distance(best) ? other : best);
    return closest.flatMap((inner) => misfitsOf({ ...inner, path: [...path, ...inner.path] }, words));
  }
  const message = issue.message === MISSING
    ? `required ${words.part} ${nameOf(path)} missing from ${words.whole}`
    : issue.message.startsWith("must ")
    ? `${path.length === 0 ? `the ${words.whole}` : `${words.part} ${nameOf(path)}`} ${issue.message}`
    : issue.message;
  return [{ path, message }];
}

function nameOf(path: readonly PropertyKey[]): string {
  return quoted(path.map(String).join("."));
}

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "a JSON object",
  record: "a JSON object",
  null: "null",
};

const FORMAT_NAMES: Readonly<Record<string, string>> = {
  datetime: "a time in ISO 8601 with Z or an offset, such as 2026-01-07T10:15:32.000Z",
  email: "an e-mail address",
  url: "a URL",
  uuid: "a UUID",
};

const MISSING = "is missing";
const NO_ALTERNATIVE = "must have one of the forms that are allowed";

/** Replaces zod's own wording; what begins with `must` is later led in by the name of the field. */
function describe(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return MISSING;
      return `must be ${TYPE_NAMES[issue.expected as string] ?? `of type ${issue.expected}`}`;
    case "invalid_value":
      if (issue.input === undefined) return MISSING;
      return `must be one of ${(issue.values as readonly unknown[]).map((value) => `'${value}'`).join(", ")}`;
    case "invalid_union":
      return issue.input === undefined ? MISSING : NO_ALTERNATIVE;
    case "invalid_format": {
      const format = FORMAT_NAMES[issue.format as string];
      if (format !== undefined) return `must be ${format}`;
      return issue.pattern === undefined ? `must be a valid ${issue.format}` : `must match ${issue.pattern}`;
    }
    case "too_big":
      return amount(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum);
    case "too_small":
      return amount(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    default:
      return undefined;
  }
}

function amount(origin: unknown, relation: string, bound: unknown): string {
  if (origin === "string") return `must have ${relation} ${bound} characters`;
  if (origin === "array" || origin === "set") return `must have ${relation} ${bound} items`;
  return `must be ${relation} ${bound}`;
}
