/**
 * The configuration: what Daybook takes from the environment.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import type { DatabaseTarget } from "../handlers/handler.ts";
import { ConfigError } from "./config_error.ts";
import { OWN_DATABASE } from "./databases.ts";
import { masked } from "./masked.ts";
import { type LogLevel, Misfit, type Settled } from "./parse.ts";
import { type Variable, VARIABLES } from "./variables.ts";

/** Every setting, with its default where the environment says nothing. Each is explained in `variables.ts`. */
export interface Config {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  readonly kvPath: string;
  /** The other roles need KV Connect, which this version does not support. */
  readonly role: "all";
  readonly concurrency: number;
  readonly backoffBaseSeconds: number;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly cacheUrl: string | undefined;
  /** The configured ones, and always Daybook's own file, by the name `daybook`. */
  readonly databases: readonly DatabaseTarget[];
  readonly logDirs: readonly string[];
  readonly templateDir: string | undefined;
  readonly handlersDir: string | undefined;
  readonly token: string | undefined;
  readonly signingKeyPath: string;
  /** A file, or an `http(s)://` address. */
  readonly witness: string | undefined;
}

/** Where variables come from; `Deno.env` is one. */
export interface Environment {
  get(name: string): string | undefined;
}

/**
 * Reads the environment; an empty value counts as none.
 *
 * @throws {ConfigError} If a value does not fit; the message is one line that says which, what it was and what it may
 * be, without secrets.
 */
export function loadConfig(env: Environment): Config {
  const dataDir = read(env, VARIABLES.dataDir, { dataDir: "", kvPath: "" });
  const kvPath = read(env, VARIABLES.kvPath, { dataDir, kvPath: "" });
  const get = <T>(variable: Variable<T>) => read(env, variable, { dataDir, kvPath });
  return {
    dataDir,
    kvPath,
    host: get(VARIABLES.host),
    port: get(VARIABLES.port),
    role: get(VARIABLES.role),
    concurrency: get(VARIABLES.concurrency),
    backoffBaseSeconds: get(VARIABLES.backoffBaseSeconds),
    logLevel: get(VARIABLES.logLevel),
    logFormat: get(VARIABLES.logFormat),
    smtpUrl: get(VARIABLES.smtpUrl),
    mailFrom: get(VARIABLES.mailFrom),
    cacheUrl: get(VARIABLES.cacheUrl),
    databases: [{ name: OWN_DATABASE, kind: "own", path: kvPath }, ...get(VARIABLES.databases)],
    logDirs: get(VARIABLES.logDirs),
    templateDir: get(VARIABLES.templateDir),
    handlersDir: get(VARIABLES.handlersDir),
    token: get(VARIABLES.token),
    signingKeyPath: get(VARIABLES.signingKeyPath),
    witness: get(VARIABLES.witness),
  };
}

/** More changes than these are another word, not a slip. */
const MAX_SLIPS = 3;
/** Read by operators' tasks, which share their environment with the server. */
const KNOWN_ELSEWHERE = ["DAYBOOK_URL"];

/**
 * One line for each of the names that begins like Daybook's variables and is none: a misspelt one would otherwise be
 * passed over in silence. Names in `DAYBOOK_TEST_` are the tests'.
 */
export function unknownVariables(names: Iterable<string>): string[] {
  const known = [...Object.values(VARIABLES).map((variable) => variable.name), ...KNOWN_ELSEWHERE];
  return [...names].filter((name) => /^DAYBOOK_(?!TEST_)/i.test(name) && !known.includes(name)).sort()
    .map((name) => {
      const near = closest(name.toUpperCase(), known);
      const meant = distance(name.toUpperCase(), near) <= MAX_SLIPS
        ? `did you mean ${near}?`
        : "it has no effect";
      return `Unknown variable ${name}: ${meant}`;
    });
}

function read<T>(env: Environment, variable: Variable<T>, settled: Settled & { dataDir: string }): T {
  const given = env.get(variable.name) || undefined;
  if (given === undefined && variable.default === undefined) return variable.unset;
  const text = given ?? variable.default!.replace("<data>", settled.dataDir);
  const value = variable.parse(text, settled);
  if (value instanceof Misfit) throw misfit(variable, value.part ?? text, value.mayBe);
  if (value === undefined) throw misfit(variable, text, variable.mayBe);
  return value;
}

function misfit({ name, shown }: Variable<unknown>, text: string, mayBe: string): ConfigError {
  return new ConfigError(name, masked(text, shown ?? "all"), mayBe);
}
