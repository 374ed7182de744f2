/**
 * The configuration: every variable of the environment that Daybook knows, its default and what it may be.
 *
 * @module
 */
import { join } from "node:path";
import type { DatabaseTarget } from "../handlers/handler.ts";
import { ConfigError } from "./config_error.ts";
import { databases, integer, list, masked, number, oneOf, type Parse, text, token, url } from "./parse.ts";

export interface Config {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  readonly kvPath: string;
  readonly concurrency: number;
  readonly backoffBaseSeconds: number;
  readonly logLevel: "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
  readonly logFormat: "text" | "json";
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly cacheUrl: string | undefined;
  /** Daybook's own KV file, which is there by the name `daybook`, unless others are configured. */
  readonly databases: readonly DatabaseTarget[];
  readonly logDirs: readonly string[];
  readonly templateDir: string | undefined;
  readonly handlersDir: string | undefined;
  readonly token: string | undefined;
}

interface Variable<T> {
  /** As the README's table shows it. */
  readonly default: string;
  readonly help: string;
  readonly mayBe: string;
  readonly parse: Parse<T>;
  /** Never shown, not even when it does not fit. */
  readonly secret?: true;
}

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
const upperCase = (value: string) => value.toUpperCase() === "WARN" ? "WARNING" : value.toUpperCase();

const VARIABLES = {
  DAYBOOK_HOST: variable("127.0.0.1", "address to listen on", "a host name or an IP address", text),
  DAYBOOK_PORT: variable(
    "2000",
    "port; 0 takes any free one",
    "an integer from 0 to 65535",
    integer(0, 65_535),
  ),
  DAYBOOK_DATA: variable("./data", "folder of everything that Daybook keeps", "a path", text),
  DAYBOOK_KV: variable("<data>/daybook.kv", "the log's file", "a path", text),
  DAYBOOK_CONCURRENCY: variable(
    "10",
    "handlers that run at once",
    "an integer from 1 to 1000",
    integer(1, 1000),
  ),
  DAYBOOK_ROLE: variable(
    "all",
    "what this process does",
    "all: api and worker need KV Connect, the embedded file has one process",
    oneOf(["all"] as const),
  ),
  DAYBOOK_BACKOFF_BASE_SECONDS: variable(
    "120",
    "wait before the first retry, in seconds; then twice as long each time",
    "a number from 0 to 86400",
    number(0, 86_400),
  ),
  DAYBOOK_LOG_LEVEL: variable(
    "INFO",
    "least level that is logged",
    LEVELS.join(", "),
    oneOf(LEVELS, upperCase),
  ),
  DAYBOOK_LOG_FORMAT: variable(
    "text",
    "how log lines look",
    "text or json",
    oneOf(["text", "json"] as const),
  ),
  DAYBOOK_SMTP_URL: variable(
    "none: mail goes to `<data>/outbox`",
    "mail server",
    "smtp://user:password@host:port or smtps://…",
    url("smtp:", "smtps:"),
  ),
  DAYBOOK_MAIL_FROM: variable(
    "Daybook <daybook@localhost.localdomain>",
    "sender of mail",
    "an address or Name <address>",
    text,
  ),
  DAYBOOK_CACHE_URL: variable(
    "none: `<data>/cache.kv`",
    "Redis that holds the cache, within a key prefix",
    "redis://host:port/db?prefix=…",
    url("redis:", "rediss:"),
  ),
  DAYBOOK_DATABASES: variable(
    "Daybook's own file",
    "what `db_optimize` works on, separated by commas",
    "a list of sqlite:<path> and postgres://…",
    databases,
  ),
  DAYBOOK_LOG_DIRS: variable(
    "none",
    "further folders whose *.log files are rotated",
    "a list of paths",
    list,
  ),
  DAYBOOK_TEMPLATES: variable("none", "folder of mail templates, before those that ship", "a path", text),
  DAYBOOK_HANDLERS: variable("none", "folder of further job types, one .ts file each", "a path", text),
  DAYBOOK_TOKEN: variable(
    "`<data>/admin.token`",
    "the admin token",
    "at least 16 visible ASCII characters",
    token,
    true,
  ),
  DAYBOOK_SIGNING_KEY: variable(
    "`<data>/keys/log.ed25519`",
    "key that will sign checkpoints",
    "a path",
    text,
  ),
};

/**
 * Reads the environment; an empty value counts as none.
 *
 * @throws {ConfigError} If a value does not fit; the message is one line without secrets.
 */
export function loadConfig(env: { get(name: string): string | undefined }): Config {
  const dataDir = read(env, "DAYBOOK_DATA") ?? "./data";
  const kvPath = read(env, "DAYBOOK_KV") ?? join(dataDir, "daybook.kv");
  if (/^https?:/.test(kvPath)) {
    throw new ConfigError("DAYBOOK_KV", masked(kvPath), "a path: this version does not speak KV Connect yet");
  }
  return {
    dataDir,
    kvPath,
    host: read(env, "DAYBOOK_HOST") ?? "127.0.0.1",
    port: read(env, "DAYBOOK_PORT") ?? 2000,
    concurrency: (read(env, "DAYBOOK_ROLE"), read(env, "DAYBOOK_CONCURRENCY") ?? 10),
    backoffBaseSeconds: read(env, "DAYBOOK_BACKOFF_BASE_SECONDS") ?? 120,
    logLevel: read(env, "DAYBOOK_LOG_LEVEL") ?? "INFO",
    logFormat: read(env, "DAYBOOK_LOG_FORMAT") ?? "text",
    smtpUrl: read(env, "DAYBOOK_SMTP_URL"),
    mailFrom: read(env, "DAYBOOK_MAIL_FROM") ?? VARIABLES.DAYBOOK_MAIL_FROM.default,
    cacheUrl: read(env, "DAYBOOK_CACHE_URL"),
    databases: read(env, "DAYBOOK_DATABASES") ?? [{ name: "daybook", kind: "own", path: kvPath }],
    logDirs: read(env, "DAYBOOK_LOG_DIRS") ?? [],
    templateDir: read(env, "DAYBOOK_TEMPLATES"),
    handlersDir: read(env, "DAYBOOK_HANDLERS"),
    token: read(env, "DAYBOOK_TOKEN"),
  };
}

/** The variables as a Markdown table, for the README. */
export function configTable(): string {
  const rows = Object.entries(VARIABLES).map(([name, { default: value, help, mayBe }]) =>
    `| \`${name}\` | ${help} | ${mayBe.replaceAll("<", "&lt;")} | ${
      value.replaceAll("<data>", "&lt;data&gt;")
    } |`
  );
  return ["| variable | meaning | may be | default |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** Names that look like Daybook's and are not, as a line each. */
export function unknownVariables(names: Iterable<string>): string[] {
  return [...names].filter((name) => name.startsWith("DAYBOOK_") && !(name in VARIABLES))
    .filter((name) => name !== "DAYBOOK_URL" && !name.startsWith("DAYBOOK_TEST_"))
    .map((name) => `${name} is set, but Daybook knows no such variable`);
}

type Name = keyof typeof VARIABLES;
type Value<N extends Name> = (typeof VARIABLES)[N] extends Variable<infer T> ? T : never;

function read<N extends Name>(env: { get(name: string): string | undefined }, name: N): Value<N> | undefined {
  const raw = env.get(name);
  if (raw === undefined || raw === "") return undefined;
  const { parse, mayBe, secret } = VARIABLES[name] as Variable<Value<N>>;
  const value = parse(raw);
  if (value === undefined) {
    throw new ConfigError(name, secret ? "a secret that does not fit" : masked(raw), mayBe);
  }
  return value;
}

function variable<T>(
  value: string,
  help: string,
  mayBe: string,
  parse: Parse<T>,
  secret?: true,
): Variable<T> {
  return { default: value, help, mayBe, parse, ...(secret && { secret }) };
}
