/**
 * The way through LogTape: one sink that hands a record to the handlers of the logger that made it.
 *
 * LogTape calls its sinks before its own method returns, and copies what it is given; so the record under way is remembered
 * here rather than sent along. A handler that throws is LogTape's to note: it never throws into who logs.
 *
 * @module
 */
import { configureSync, getConfig, type Logger as Engine } from "npm:@logtape/logtape@2.4.2";
import type { BaseHandler } from "./base_handler.ts";
import type { LogRecord } from "./record.ts";

/** LogTape's method for a level. */
export type EngineMethod = "trace" | "debug" | "info" | "warning" | "error" | "fatal";

const SINK = "std-log";

let underWay: { record: LogRecord; handlers: BaseHandler[] } | undefined;

function toHandlers(): void {
  if (underWay === undefined) return;
  const { record, handlers } = underWay;
  for (const handler of handlers) handler.handle(record);
}

// LogTape copies a record for each sink that might keep it, 1.5 µs of 3.3; this mark, as its own console sink bears it,
// says that ours does not.
Object.defineProperty(toHandlers, Symbol.for("LogTape.sinkSnapshotPolicy.immediate"), { value: true });

/**
 * Puts the sink into LogTape's configuration, beside whatever the program has configured there already.
 * A program that resets LogTape afterwards calls `setup()` once more.
 */
export function connect(): void {
  const config = getConfig();
  if (config !== null && SINK in config.sinks) return;
  configureSync({
    ...config,
    reset: true,
    sinks: { ...config?.sinks, [SINK]: toHandlers },
    loggers: [
      ...(config?.loggers ?? [{ category: ["logtape", "meta"], lowestLevel: "error" as const }]),
      { category: SINK, sinks: [SINK], lowestLevel: "trace" as const },
    ],
  });
}

/** Sends a record through LogTape to `handlers`. */
export function deliver(
  engine: Engine,
  method: EngineMethod,
  record: LogRecord,
  args: unknown[],
  handlers: BaseHandler[],
): void {
  const before = underWay;
  underWay = { record, handlers };
  try {
    // A brace would begin a placeholder of LogTape's message templates.
    const message = record.msg.includes("{")
      ? record.msg.replaceAll("{", "{{").replaceAll("}", "}}")
      : record.msg;
    engine[method](message, properties(args));
  } finally {
    underWay = before;
  }
}

function properties(args: unknown[]): Record<string, unknown> {
  const [first] = args;
  const fields = typeof first === "object" && first !== null ? first as Record<string, unknown> : {};
  return args.length < 2 ? fields : { ...fields, args: args.slice(1) };
}
