import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  BaseHandler,
  FileHandler,
  getLevelByName,
  getLevelName,
  getLogger,
  type Logger,
  LogLevels,
  type LogRecord,
  setup,
} from "@std/log";

class Kept extends BaseHandler {
  readonly lines: string[] = [];
  readonly records: LogRecord[] = [];
  destroyed = false;
  override handle(record: LogRecord): void {
    this.records.push(record);
    super.handle(record);
  }
  override log(line: string): void {
    this.lines.push(line);
  }
  override destroy(): void {
    this.destroyed = true;
  }
}

function kept(level: "DEBUG" | "INFO" = "DEBUG"): { handler: Kept; logger: Logger } {
  const handler = new Kept("DEBUG");
  setup({ handlers: { kept: handler }, loggers: { work: { level, handlers: ["kept"] } } });
  return { handler, logger: getLogger("work") };
}

Deno.test("LogLevels has the six levels of @std/log, and name and number lead to each other", () => {
  assertEquals(LogLevels, { NOTSET: 0, DEBUG: 10, INFO: 20, WARN: 30, ERROR: 40, CRITICAL: 50 });
  for (const [name, level] of Object.entries(LogLevels)) {
    assertEquals(getLevelName(level), name);
    assertEquals(getLevelByName(getLevelName(level)), level);
  }
  assertThrows(() => getLevelByName("LOUD" as "INFO"), TypeError, "LOUD");
});

Deno.test("getLogger() gives a handler each record at or above the logger's level", () => {
  const { handler, logger } = kept("INFO");
  logger.debug("d");
  logger.info("i");
  logger.warn("w");
  logger.error("e");
  logger.critical("c");
  assertEquals(handler.lines, ["INFO i", "WARN w", "ERROR e", "CRITICAL c"]);
});

Deno.test("a handler passes over records below its own level", () => {
  const handler = new Kept("ERROR");
  setup({ handlers: { kept: handler }, loggers: { work: { level: "DEBUG", handlers: ["kept"] } } });
  getLogger("work").warn("w");
  getLogger("work").error("e");
  assertEquals(handler.lines, ["ERROR e"]);
});

Deno.test("a record carries the message, the further arguments, the logger's name and the moment", () => {
  const { handler, logger } = kept();
  const before = Date.now();
  logger.info("done", { job_id: "7" }, 3);
  const [record] = handler.records;
  assert(record !== undefined);
  assertEquals([record.msg, record.levelName, record.loggerName], ["done", "INFO", "work"]);
  assertEquals(record.args, [{ job_id: "7" }, 3]);
  assert(record.datetime.getTime() >= before);
});

Deno.test("a message with braces reaches the handler as it was written", () => {
  const { handler, logger } = kept();
  logger.info("{job_id} {{x}} }{", { job_id: "7" });
  assertEquals(handler.lines, ["INFO {job_id} {{x}} }{"]);
});

Deno.test("a message function runs only when its level is on", () => {
  const { handler, logger } = kept("INFO");
  let runs = 0;
  assertEquals(logger.debug(() => ++runs), undefined);
  assertEquals(runs, 0);
  assertEquals(logger.info(() => ++runs), 1);
  assertEquals(handler.lines, ["INFO 1"]);
});

Deno.test("a logging method answers what it was given", () => {
  const { logger } = kept("INFO");
  const value = { a: 1 };
  assertStrictEquals(logger.info(value), value);
  assertStrictEquals(logger.debug(value), value);
});

Deno.test("a handler that throws does not throw into who logs", () => {
  class Broken extends BaseHandler {
    override log(): void {
      throw new Error("broken");
    }
  }
  setup({
    handlers: { broken: new Broken("DEBUG") },
    loggers: { work: { level: "INFO", handlers: ["broken"] } },
  });
  getLogger("work").info("still here");
});

Deno.test("a handler that logs in turn disturbs nothing", () => {
  const inner = new Kept("DEBUG");
  class Talkative extends BaseHandler {
    override log(line: string): void {
      getLogger("inner").info(`heard ${line}`);
    }
  }
  setup({
    handlers: { talkative: new Talkative("DEBUG"), inner },
    loggers: {
      work: { level: "INFO", handlers: ["talkative", "inner"] },
      inner: { level: "INFO", handlers: ["inner"] },
    },
  });
  getLogger("work").info("one");
  assertEquals(inner.lines, ["INFO heard INFO one", "INFO one"]);
});

Deno.test("setup() ends the handlers that it replaces", () => {
  const { handler } = kept();
  kept();
  assert(handler.destroyed);
});

Deno.test("a logger that setup() was not told of logs nothing", () => {
  kept();
  assertEquals(getLogger("unknown").handlers, []);
  getLogger("unknown").error("unheard");
});

Deno.test("a level can be changed while running, by name or number", () => {
  const { handler, logger } = kept("INFO");
  logger.levelName = "DEBUG";
  logger.debug("a");
  logger.level = LogLevels.ERROR;
  logger.warn("b");
  assertEquals(handler.lines, ["DEBUG a"]);
});

Deno.test("a formatter makes the text of a record", () => {
  const lines: string[] = [];
  class Shown extends BaseHandler {
    override log(line: string): void {
      lines.push(line);
    }
  }
  const handler = new Shown("DEBUG", { formatter: (record) => `[${record.loggerName}] ${record.msg}` });
  setup({ handlers: { handler }, loggers: { work: { level: "INFO", handlers: ["handler"] } } });
  getLogger("work").info("hello");
  assertEquals(lines, ["[work] hello"]);
});

Deno.test("FileHandler appends what it is given and keeps what was there", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const filename = `${dir}/a.log`;
    await Deno.writeTextFile(filename, "old\n");
    const file = new FileHandler("DEBUG", { filename, formatter: (record) => record.msg });
    setup({ handlers: { file }, loggers: { work: { level: "INFO", handlers: ["file"] } } });
    getLogger("work").info("new");
    file.flush();
    getLogger("work").critical("at once");
    assertEquals(await Deno.readTextFile(filename), "old\nnew\nat once\n");
  } finally {
    setup({});
    await Deno.remove(dir, { recursive: true });
  }
});
