/**
 * Finds what a TypeScript file imports.
 *
 * @module
 */
import { parse } from "@babel/parser";

/** One import of a file, in whatever form. */
export interface Import {
  /** As it is written, such as `../events/event.ts`. */
  readonly specifier: string;
  /** Whether only types are taken, so that nothing is loaded for it. */
  readonly typeOnly: boolean;
  /** `url` is `new URL("./worker.ts", import.meta.url)`, which loads the file into a Worker and not into this module. */
  readonly form: "import" | "url";
}

/**
 * All imports and re-exports of `source`, also within functions and types.
 *
 * A dynamic import of what is only known at run time is passed over.
 *
 * @param path Of the file; `.tsx` allows JSX.
 * @throws {SyntaxError} If it does not parse.
 */
export function importsOf(source: string, path: string): Import[] {
  const file: unknown = parse(source, {
    sourceType: "module",
    plugins: path.endsWith("x") ? ["typescript", "jsx"] : ["typescript"],
  });
  const found: Import[] = [];
  if (isNode(file)) {
    visit(file, (node) => {
      const imported = importIn(node);
      if (imported) found.push(imported);
    });
  }
  return found;
}

interface Node {
  readonly type: string;
  readonly [property: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function visit(node: Node, look: (node: Node) => void): void {
  look(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) visit(child, look);
    }
  }
}

function importIn(node: Node): Import | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType": {
      const specifier = textOf(node["source"] ?? node["argument"]);
      return specifier === undefined ? undefined : { specifier, typeOnly: isTypeOnly(node), form: "import" };
    }
    case "NewExpression": {
      const [first, second] = node["arguments"] as unknown[];
      const ofThisModule = isNode(second) && second.type === "MemberExpression" &&
        isNode(second["object"]) && second["object"].type === "MetaProperty";
      const specifier = ofThisModule ? textOf(first) : undefined;
      return specifier === undefined ? undefined : { specifier, typeOnly: false, form: "url" };
    }
    default:
      return undefined;
  }
}

function isTypeOnly(node: Node): boolean {
  if (node.type === "TSImportType" || node["importKind"] === "type" || node["exportKind"] === "type") {
    return true;
  }
  const specifiers = node["specifiers"];
  return Array.isArray(specifiers) && specifiers.length > 0 &&
    specifiers.every((specifier) => specifier.importKind === "type" || specifier.exportKind === "type");
}

function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "TSLiteralType") return textOf(node["literal"]);
  return node.type === "StringLiteral" ? String(node["value"]) : undefined;
}
