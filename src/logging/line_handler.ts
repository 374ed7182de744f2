/**
 * The handler between `@std/log` and a place for lines: formats a record and hands the line over.
 *
 * @module
 */
import { BaseHandler, LogLevels, type LogRecord } from "@std/log";
import type { LineFormat } from "./line_format.ts";

/** Takes a finished line; `urgent` lines are to be written at once. */
export type AddLine = (line: string, urgent: boolean) => void;

/** Lines of WARNING and above are urgent. */
export class LineHandler extends BaseHandler {
  #add: AddLine;
  #urgent = false;

  constructor(format: LineFormat, now: () => Date, add: AddLine) {
    super("NOTSET", { formatter: (record) => format(toLine(record, now())) });
    this.#add = add;
  }

  override handle(record: LogRecord): void {
    this.#urgent = record.level >= LogLevels.WARN;
    super.handle(record);
  }

  override log(line: string): void {
    this.#add(line, this.#urgent);
  }
}

function toLine(record: LogRecord, time: Date) {
  const [fields] = record.args;
  return {
    time,
    logger: record.loggerName,
    level: record.level === LogLevels.WARN ? "WARNING" : record.levelName,
    message: record.msg,
    fields: typeof fields === "object" && fields !== null ? fields as Record<string, unknown> : {},
  };
}
