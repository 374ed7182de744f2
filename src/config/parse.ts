/**
 * From the text of one variable to its value.
 *
 * @module
 */
import { z } from "zod";

/** What is known of the configuration when a variable is read. */
export interface Settled {
  readonly kvPath: string;
}

/** Why a text does not fit, when more can be said than what it may be. */
export class Misfit {
  /**
   * @param mayBe Completes "…, but it may be".
   * @param part The part of the text that does not fit; all of it when omitted.
   */
  constructor(readonly mayBe: string, readonly part?: string) {}
}

/** Answers the value, `undefined` when the text does not fit, or a {@linkcode Misfit} that says why. */
export type Parse<T> = (text: string, settled: Settled) => T | undefined | Misfit;

export function integer(least: number, most: number): Parse<number> {
  return (text) => {
    const value = Number(text);
    return /^\d{1,15}$/.test(text) && value >= least && value <= most ? value : undefined;
  };
}

/** A decimal number such as `0.5`. */
export function decimal(least: number, most: number): Parse<number> {
  return (text) => {
    const value = Number(text);
    return /^\d{1,15}(\.\d{1,9})?$/.test(text) && value >= least && value <= most ? value : undefined;
  };
}

export function oneOf<T extends string>(values: readonly T[]): Parse<T> {
  return (text) => values.find((value) => value === text);
}

export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** In whatever case; `WARN` is `WARNING`. */
export const logLevel: Parse<LogLevel> = (text) => {
  const name = text.toUpperCase();
  return LOG_LEVELS.find((level) => level === (name === "WARN" ? "WARNING" : name));
};

export const role: Parse<"all"> = (text) => {
  if (text === "all") return text;
  if (text !== "api" && text !== "worker") return undefined;
  return new Misfit(
    `all: '${text}' shares its log with other processes and needs KV Connect, which this version does not support; ` +
      "the embedded file belongs to one process",
  );
};

export const host: Parse<string> = (text) => /^[A-Za-z0-9._:-]{1,253}$/.test(text) ? text : undefined;

export const path: Parse<string> = (text) => isPath(text) ? text : undefined;

/** Where Deno KV keeps the log. */
export const kvPath: Parse<string> = (text) => {
  if (/^https?:\/\//i.test(text)) {
    return new Misfit("the path of a file: this version does not support KV Connect yet");
  }
  if (text === ":memory:") return new Misfit("the path of a file: the log must outlive the process");
  return isPath(text) ? text : undefined;
};

/** Paths, separated by commas. */
export const paths: Parse<readonly string[]> = (text) => {
  const items = listed(text);
  return items.every(isPath) ? items : undefined;
};

export const smtpUrl: Parse<string> = (text) => {
  const url = URL.parse(text);
  return url && /^smtps?:$/.test(url.protocol) && url.hostname !== "" ? text : undefined;
};

const MAX_PREFIX_LENGTH = 128;

export const redisUrl: Parse<string> = (text) => {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "") return undefined;
  if (!/^\/?\d{0,6}$/.test(url.pathname)) return undefined;
  if ([...url.searchParams.keys()].some((name) => name !== "prefix")) return undefined;
  const prefix = url.searchParams.get("prefix") ?? "default";
  if (prefix === "" || prefix.length > MAX_PREFIX_LENGTH) {
    return new Misfit(`an address whose prefix has 1 to ${MAX_PREFIX_LENGTH} characters`);
  }
  return text;
};

/** `address` or `Name <address>`; hosts without a dot are fine. */
export const mailbox: Parse<string> = (text) => {
  const address = /^[^<>\p{Cc}]*<([^<>]*)>$/u.exec(text)?.[1] ?? text;
  return z.email({ pattern: z.regexes.html5Email }).safeParse(address).success ? text : undefined;
};

/** As a header can carry it. */
export const token: Parse<string> = (text) => /^[\x21-\x7e]{16,512}$/.test(text) ? text : undefined;

/** The items between commas, without the empty ones. */
export function listed(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

export function isPath(text: string): boolean {
  return text.length <= 4_096 && !/\p{Cc}/u.test(text);
}

/** The path of a file, or the address of a server. */
export const witness: Parse<string> = (text) => {
  if (!text.includes("://")) return text;
  const url = URL.parse(text);
  return url && (url.protocol === "http:" || url.protocol === "https:") ? text : undefined;
};
