/**
 * Problem details (RFC 9457): the one form in which the API says no.
 *
 * @module
 */
import type { ApiContext } from "./context.ts";
import { type ReplyHeaders, sharedHeaders } from "./headers.ts";

/** One thing that does not fit: where, and what is wrong with it. */
export type ProblemItem =
  /** RFC 6901 pointer into the body, such as `/payload/to`; empty for the whole body. */
  | { readonly pointer: string; readonly message: string }
  /** Name of a query parameter. */
  | { readonly parameter: string; readonly message: string };

/** The body of a reply of type `application/problem+json`. */
export interface Problem {
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  /** What is wrong with this request; the first message of `errors` where there are any. */
  readonly detail: string;
  /** For a body or query that does not fit, at most 100. */
  readonly errors?: readonly ProblemItem[];
}

/** Thrown anywhere while a request is answered; becomes the reply. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: ReplyHeaders = {},
    readonly errors?: readonly ProblemItem[],
    /** Members of its own (RFC 9457, section 3.2). */
    readonly extensions: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** Seconds after which a request that met a 503 is worth repeating. */
export const RETRY_AFTER_SECONDS = 5;

const MAX_ERRORS = 100;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A body or query that does not fit; `errors` has at least one. */
export function doesNotFit(errors: readonly ProblemItem[], status = 422): ProblemError {
  return new ProblemError(
    status,
    errors[0]?.message ?? "The request does not fit",
    {},
    errors.slice(0, MAX_ERRORS),
  );
}

/** A single field of the body that does not fit. */
export function fieldDoesNotFit(pointer: string, message: string): ProblemError {
  return doesNotFit([{ pointer, message }]);
}

/** The path leads nowhere. */
export function noSuchPath(c: ApiContext): ProblemError {
  return new ProblemError(404, `There is nothing at ${c.req.path.slice(0, 200)}`);
}

export function toProblem({ status, detail, errors, extensions }: ProblemError): Problem {
  return { ...extensions, title: TITLES[status] ?? "Error", status, detail, ...(errors && { errors }) };
}

export function replyProblem(c: ApiContext, error: ProblemError): Response {
  return new Response(JSON.stringify(toProblem(error)), {
    status: error.status,
    headers: { "Content-Type": "application/problem+json", ...sharedHeaders(c), ...error.headers },
  });
}

/** A reference token of an RFC 6901 pointer. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
