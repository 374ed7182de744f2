/**
 * `deno task arrows`: fails on an import against the rooms' arrows or in a circle.
 *
 * @module
 */
import { findCircle, type ImportGraph, importGraph } from "./import_graph.ts";

/** What each room may import besides itself. The handler interface is a leaf that everybody may see. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  events: [],
  actors: ["events"],
  audit: ["events", "actors"],
  api: ["events", "actors", "audit"],
  handlers: [],
  cache: [],
  config: [],
  logging: [],
  tasks: ["events", "actors", "audit", "api", "config"],
  wiring: ["events", "actors", "audit", "api", "handlers", "cache", "config", "logging"],
};

const HANDLER_INTERFACE = "src/handlers/handler.ts";

/** A sentence for each import that should not be. */
export function againstTheArrows(graph: ImportGraph): string[] {
  const faults: string[] = [];
  for (const [file, imports] of graph) {
    for (const imported of imports) {
      const fault = faultOf(file, imported);
      if (fault) faults.push(`${file} imports ${imported}: ${fault}`);
    }
  }
  const circle = findCircle(graph);
  if (circle) faults.push(`a circle of imports: ${circle.join(" → ")}`);
  return faults;
}

function faultOf(file: string, imported: string): string | undefined {
  if (imported === "main.ts") return "nothing imports main.ts";
  if (file === "main.ts" || imported === HANDLER_INTERFACE) return undefined;
  const from = roomOf(file);
  const to = roomOf(imported);
  if (to === undefined) return "the source imports nothing outside src";
  if (from === "handlers" && to === "handlers") {
    return handlerOf(file) === handlerOf(imported) ? undefined : "handlers stand alone";
  }
  if (from === to || MAY_IMPORT[from!]?.includes(to)) return undefined;
  return `${from} may import ${MAY_IMPORT[from!]?.join(", ") || "nothing"} of ours`;
}

function roomOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

/** `src/handlers/x.ts` and `src/handlers/x/…` are the handler `x`. */
function handlerOf(file: string): string | undefined {
  return /^src\/handlers\/([^/.]+)/.exec(file)?.[1];
}

if (import.meta.main) {
  const graph = importGraph(Deno.cwd());
  const faults = againstTheArrows(graph);
  for (const fault of faults) console.error(fault);
  if (faults.length === 0) console.log(`${graph.size} files, every import along the arrows`);
  Deno.exit(faults.length === 0 ? 0 : 1);
}
