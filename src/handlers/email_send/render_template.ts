/**
 * Renders a Mustache template with a job's data, and refuses to guess.
 *
 * Templates are logic-less, so whoever may write one cannot run code with it. A variable that the data does not have
 * is an error instead of a gap in a sent mail; a section may be absent, which is how a template says "optional".
 * HTML parts escape every value: the unescaped tags are refused there.
 *
 * @module
 */
// @ts-types="@types/mustache"
import Mustache from "mustache";
import { type Json, type JsonObject, PermanentError } from "../handler.ts";
import type { TemplateSource } from "./template_files.ts";

/** The rendered parts, those that the template has. */
export interface RenderedTemplate {
  readonly html?: string;
  readonly text?: string;
}

/**
 * Renders the template's parts.
 *
 * Beside `data` a template may use `subject`, and `fields`, a list of `{name, value}` of all members of `data` (a
 * nested value as JSON); members of `data` with these names come first.
 *
 * @throws {PermanentError} For a template that cannot be used and for a variable that `data` does not have.
 */
export function renderTemplate(
  template: TemplateSource,
  subject: string,
  data: JsonObject,
): RenderedTemplate {
  const context = new DataContext({ subject, fields: fieldsOf(data) }).push(data);
  const render = (source: string, part: "html" | "txt"): string =>
    new StrictWriter(`${template.name}.${part}`).renderPart(source, context, part === "html");
  return {
    ...(template.html !== undefined && { html: render(template.html, "html") }),
    ...(template.text !== undefined && { text: render(template.text, "txt") }),
  };
}

function fieldsOf(data: JsonObject): Json[] {
  return Object.entries(data).map(([name, value]) => ({
    name,
    value: typeof value === "object" && value !== null ? JSON.stringify(value) : value,
  }));
}

/** Looks names up among own members only, so that no inherited one such as `constructor` is ever printed. */
class DataContext extends Mustache.Context {
  constructor(override readonly view: Json, readonly outer?: DataContext) {
    super(view, outer);
  }

  override push(view: Json): DataContext {
    return new DataContext(view, this);
  }

  /** The value, `undefined` only when there is none: JSON has no `undefined`. */
  override lookup(name: string): Json | undefined {
    if (name === ".") return this.view;
    const [first = "", ...rest] = name.split(".");
    const found = memberOf(this.view, first);
    if (found === undefined) return this.outer?.lookup(name);
    return rest.reduce<Json | undefined>(memberOf, found);
  }
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as JsonObject)[name];
}

/** Mustache's tokens: kind, name, start, end, and for sections the tokens inside. */
type Tokens = ReadonlyArray<
  readonly [kind: string, name: string, start: number, end: number, inner?: unknown]
>;

class StrictWriter extends Mustache.Writer {
  constructor(readonly part: string) {
    super();
  }

  renderPart(source: string, context: DataContext, isHtml: boolean): string {
    this.refuseForbidden(this.tokens(source), isHtml);
    return this.render(source, context, undefined, isHtml ? undefined : { escape: String });
  }

  override escapedValue(...args: Parameters<Mustache.Writer["escapedValue"]>): string {
    this.requirePrintable(args[0][1], args[1]);
    return super.escapedValue(...args);
  }

  override unescapedValue(...args: Parameters<Mustache.Writer["unescapedValue"]>): string {
    this.requirePrintable(args[0][1], args[1]);
    return super.unescapedValue(...args);
  }

  private tokens(source: string): Tokens {
    try {
      return this.parse(source) as unknown as Tokens;
    } catch (error) {
      throw new PermanentError(`Email template '${this.part}' does not parse: ${(error as Error).message}`);
    }
  }

  private refuseForbidden(tokens: Tokens, isHtml: boolean): void {
    for (const [kind, name, , , inner] of tokens) {
      if (kind === "&" && isHtml) {
        throw new PermanentError(
          `Email template '${this.part}' prints '${name}' unescaped: write {{${name}}} instead`,
        );
      }
      if (kind === ">") {
        throw new PermanentError(
          `Email template '${this.part}' includes '${name}': partials are not available`,
        );
      }
      if (Array.isArray(inner)) this.refuseForbidden(inner as unknown as Tokens, isHtml);
    }
  }

  private requirePrintable(name: string | undefined, context: Mustache.Context): void {
    const value: unknown = context.lookup(name ?? "");
    if (value === undefined) {
      throw new PermanentError(
        `Email template '${this.part}' needs the variable '${name}', which data does not have`,
      );
    }
    if (typeof value === "object" && value !== null) {
      throw new PermanentError(
        `Email template '${this.part}' prints '${name}', which is ${
          Array.isArray(value) ? "a list" : "an object"
        }: use a section`,
      );
    }
  }
}
