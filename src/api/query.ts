/**
 * Reads the query of a request: each parameter at most once, none unknown.
 *
 * @module
 */
import type { z } from "zod";
import type { ApiContext } from "./context.ts";
import { fit, quoted } from "./fit.ts";
import { doesNotFit, type ProblemItem } from "./problem.ts";
import { emptyQuery } from "./schemas.ts";

/** @throws {ProblemError} 422, naming the parameters that do not fit. */
export function readQuery<T>(c: ApiContext, schema: z.ZodType<T>): T {
  const given: Record<string, string> = Object.create(null);
  const twice: ProblemItem[] = [];
  for (const [name, value] of queryOf(c)) {
    if (name in given) twice.push({ parameter: name, message: `parameter ${quoted(name)} is given twice` });
    given[name] = value;
  }
  if (twice.length > 0) throw doesNotFit(twice);

  const fitted = fit(schema, given, { part: "parameter", whole: "query" });
  if (fitted.fits) return fitted.value;
  throw doesNotFit(
    fitted.misfits.map(({ path, message }) => ({ parameter: path.map(String).join("."), message })),
  );
}

/**
 * For a request that takes no parameters.
 *
 * @throws {ProblemError} 422, naming those that it has.
 */
export function refuseQuery(c: ApiContext): void {
  // To read what is not there costs as much as to read one.
  if (c.req.url.includes("?")) readQuery(c, emptyQuery);
}

/** The value of a `Link` header to the next page: this request with another value of `name`. */
export function nextLink(c: ApiContext, name: string, value: string): string {
  const query = queryOf(c);
  query.set(name, value);
  return `<${c.req.path}?${query}>; rel="next"`;
}

function queryOf(c: ApiContext): URLSearchParams {
  const start = c.req.url.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : c.req.url.slice(start + 1));
}
