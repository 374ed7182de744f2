/**
 * The variables of the environment: one declaration each, from which the configuration is read and the README's table
 * is made.
 *
 * @module
 */
import { databases } from "./databases.ts";
import type { Shown } from "./masked.ts";
import {
  decimal,
  host,
  integer,
  kvPath,
  logLevel,
  mailbox,
  oneOf,
  type Parse,
  path,
  paths,
  redisUrl,
  role,
  smtpUrl,
  token,
  witness,
} from "./parse.ts";

/** One variable. */
export type Variable<T> = {
  readonly name: string;
  /** What it is for, with its unit. */
  readonly meaning: string;
  /** Completes "…, but it may be". */
  readonly mayBe: string;
  readonly parse: Parse<T>;
  /** How much of a value that does not fit may be shown. Default all. */
  readonly shown?: Shown;
} & (Default | Unset<T>);

interface Default {
  /** Read as if it had been given; `<data>` stands for the value of `DAYBOOK_DATA`. */
  readonly default: string;
}

interface Unset<T> {
  readonly default?: undefined;
  readonly unset: T;
  /** What goes without it. */
  readonly unsetMeans: string;
}

/** By the name that `Config` has for each. */
export const VARIABLES = {
  host: variable({
    name: "DAYBOOK_HOST",
    default: "127.0.0.1",
    meaning: "Address to listen on",
    mayBe: "a host name or an IP address",
    parse: host,
  }),
  port: variable({
    name: "DAYBOOK_PORT",
    default: "2000",
    meaning: "Port to listen on; 0 takes any free one",
    mayBe: "an integer from 0 to 65535",
    parse: integer(0, 65_535),
  }),
  dataDir: variable({
    name: "DAYBOOK_DATA",
    default: "./data",
    meaning: "Folder of everything that Daybook keeps",
    mayBe: "a path",
    parse: path,
  }),
  kvPath: variable({
    name: "DAYBOOK_KV",
    default: "<data>/daybook.kv",
    meaning: "File of the log",
    mayBe: "the path of a file",
    parse: kvPath,
  }),
  concurrency: variable({
    name: "DAYBOOK_CONCURRENCY",
    default: "10",
    meaning: "Jobs that run at once",
    mayBe: "an integer from 1 to 1000",
    parse: integer(1, 1_000),
  }),
  role: variable({
    name: "DAYBOOK_ROLE",
    default: "all",
    meaning: "What this process does",
    mayBe: "all, api or worker (the last two need KV Connect, which this version does not support yet)",
    parse: role,
  }),
  backoffBaseSeconds: variable({
    name: "DAYBOOK_BACKOFF_BASE_SECONDS",
    default: "120",
    meaning: "Wait before a job's first retry, in seconds; it doubles with each further one",
    mayBe: "a number from 0 to 86400",
    parse: decimal(0, 86_400),
  }),
  logLevel: variable({
    name: "DAYBOOK_LOG_LEVEL",
    default: "INFO",
    meaning: "Least severe lines that are logged",
    mayBe: "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    parse: logLevel,
  }),
  logFormat: variable<"text" | "json">({
    name: "DAYBOOK_LOG_FORMAT",
    default: "text",
    meaning: "Form of log lines",
    mayBe: "text or json",
    parse: oneOf(["text", "json"]),
  }),
  smtpUrl: variable<string | undefined>({
    name: "DAYBOOK_SMTP_URL",
    unset: undefined,
    unsetMeans: "none: mail is written to `<data>/outbox`",
    meaning: "Mail server",
    mayBe: "smtp://user:password@host:port or smtps://…",
    parse: smtpUrl,
    shown: "host",
  }),
  mailFrom: variable({
    name: "DAYBOOK_MAIL_FROM",
    default: "Daybook <daybook@localhost.localdomain>",
    meaning: "Sender of mail",
    mayBe: "an address or Name <address>",
    parse: mailbox,
  }),
  cacheUrl: variable<string | undefined>({
    name: "DAYBOOK_CACHE_URL",
    unset: undefined,
    unsetMeans: "none: the cache is embedded, `<data>/cache.kv`",
    meaning: "Redis that holds the cache, within a key prefix",
    mayBe: "redis://user:password@host:port/db?prefix=… or rediss://…",
    parse: redisUrl,
    shown: "host",
  }),
  databases: variable({
    name: "DAYBOOK_DATABASES",
    unset: [],
    unsetMeans: "none: Daybook's own file",
    meaning: "Databases that `db_optimize` works on unless it is given targets",
    mayBe: "a list of sqlite:<path> and postgres://user:password@host:port/database, separated by commas",
    parse: databases,
    shown: "host",
  }),
  logDirs: variable({
    name: "DAYBOOK_LOG_DIRS",
    unset: [],
    unsetMeans: "none",
    meaning: "Further folders whose `*.log` files `log_rotate` rotates",
    mayBe: "a list of paths, separated by commas",
    parse: paths,
  }),
  templateDir: variable<string | undefined>({
    name: "DAYBOOK_TEMPLATES",
    unset: undefined,
    unsetMeans: "none",
    meaning: "Folder of mail templates, searched before those that ship",
    mayBe: "a path",
    parse: path,
  }),
  handlersDir: variable<string | undefined>({
    name: "DAYBOOK_HANDLERS",
    unset: undefined,
    unsetMeans: "none",
    meaning: "Folder of further job types, one `.ts` file each",
    mayBe: "a path",
    parse: path,
  }),
  token: variable<string | undefined>({
    name: "DAYBOOK_TOKEN",
    unset: undefined,
    unsetMeans: "made at the first start and kept in `<data>/admin.token`",
    meaning: "The admin token",
    mayBe: "16 to 512 visible ASCII characters",
    parse: token,
    shown: "nothing",
  }),
  signingKeyPath: variable({
    name: "DAYBOOK_SIGNING_KEY",
    default: "<data>/keys/log.ed25519",
    meaning: "File of the key that signs the log",
    mayBe: "the path of a file",
    parse: path,
  }),
  witness: variable<string | undefined>({
    name: "DAYBOOK_WITNESS",
    unset: undefined,
    unsetMeans: "nobody is told",
    meaning:
      "Where each checkpoint is kept as well: a file that it is appended to, or an address that it is posted to",
    mayBe: "the path of a file, or an http:// or https:// address",
    parse: witness,
    shown: "host",
  }),
};

/** Lets each declaration say its own type. */
function variable<T>(declaration: Variable<T>): Variable<T> {
  return declaration;
}
