/**
 * Sets Daybook's logging up: five loggers, one file, and the console when asked for.
 *
 * Take a logger by `getLogger(name)` of `@std/log` after this, never before.
 *
 * @module
 */
import { getLogger, type Logger, setup } from "@std/log";
import { join } from "node:path";
import { BatchedLines, type StartTimer } from "./batched_lines.ts";
import { jsonLine, type LineFormat, textLine } from "./line_format.ts";
import { LineHandler } from "./line_handler.ts";
import { LogFile } from "./log_file.ts";

/** `background_worker` is the supervisor's; `log` is the event log's. */
export const LOGGER_NAMES = ["background_worker", "api", "handlers", "log", "main"] as const;
export type LoggerName = (typeof LOGGER_NAMES)[number];

export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

export interface LoggingOptions {
  readonly level: LogLevelName;
  readonly format: "text" | "json";
  /** The folder of `daybook.log`; made when it is missing. */
  readonly dir: string;
  /** Whether the same lines go to standard output too. */
  readonly console: boolean;
  readonly now?: () => Date;
  /** For tests: how the pauses between batches are waited for. */
  readonly startTimer?: StartTimer;
}

export interface LoggingHandle {
  /** Daybook's own log file, as `log_rotate` asks for it (`LogFiles.own`). */
  readonly file: {
    readonly path: string;
    /**
     * Moves what is written so far to `to` and goes on in a fresh file, losing no line that is being written
     * meanwhile. Answers the bytes moved; 0, and no file at `to`, when there was nothing.
     */
    moveTo(to: string): Promise<number>;
  };
  /** Resolves when every line logged before is written, or could not be written just now. Never rejects. */
  flush(): Promise<void>;
  /** Writes what there is and stops: lines logged later are passed over. Never rejects. */
  close(): Promise<void>;
}

/** Sends all loggers of {@linkcode LOGGER_NAMES}, and the nameless one, to `<dir>/daybook.log`. */
export function setupLogging(options: LoggingOptions): LoggingHandle {
  const now = options.now ?? (() => new Date());
  const format: LineFormat = options.format === "json" ? jsonLine : textLine;
  const droppedLine = (count: number) =>
    format({
      time: now(),
      logger: "main",
      level: "WARNING",
      message: `${count} log ${
        count === 1 ? "line was" : "lines were"
      } dropped while the log could not be written`,
      fields: { dropped: count },
    });
  const timer = options.startTimer === undefined ? {} : { startTimer: options.startTimer };

  const path = join(options.dir, "daybook.log");
  const file = new LogFile({
    path,
    droppedLine,
    onFailure: (error) => complain(`Cannot write the log file "${path}" (${reason(error)}); trying again`),
    ...timer,
  });
  const output = options.console
    ? new BatchedLines({ write: writeToConsole, droppedLine, ...timer })
    : undefined;

  const handlers: Record<string, LineHandler> = {
    file: new LineHandler(format, now, (line, urgent) => file.add(line, urgent)),
  };
  if (output !== undefined) {
    handlers.console = new LineHandler(format, now, (line, urgent) => output.add(line, urgent));
  }
  const level = options.level === "WARNING" ? "WARN" : options.level;
  const logger = { level, handlers: Object.keys(handlers) } as const;
  setup({
    handlers,
    loggers: Object.fromEntries(["default", ...LOGGER_NAMES].map((name) => [name, logger])),
  });

  const onUnload = () => {
    writeRest(() => file.writeWaitingSync());
    const rest = output?.takeWaiting();
    if (rest !== undefined) writeRest(() => Deno.stdout.writeSync(rest));
  };
  addEventListener("unload", onUnload);

  return {
    file: { path, moveTo: (to) => file.moveTo(to) },
    async flush() {
      await Promise.all([file.flush(), output?.flush()]);
    },
    async close() {
      removeEventListener("unload", onUnload);
      const [lost] = await Promise.all([file.close(), output?.close()]);
      if (lost > 0) complain(`${lost} log lines could not be written to "${path}" and are lost`);
    },
  };
}

/** The logger of one of Daybook's parts. */
export function loggerOf(name: LoggerName): Logger {
  return getLogger(name);
}

async function writeToConsole(batch: Uint8Array): Promise<void> {
  for (let at = 0; at < batch.byteLength;) at += await Deno.stdout.write(batch.subarray(at));
}

/** The process is ending; there is nobody left to tell. */
function writeRest(write: () => void): void {
  try {
    write();
  } catch {
    return;
  }
}

/** Says on standard error what cannot be said in the log. */
function complain(message: string): void {
  try {
    console.error(message);
  } catch {
    return;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
