/**
 * From the text of one variable to its value.
 *
 * @module
 */
import { basename } from "node:path";
import type { DatabaseTarget } from "../handlers/handler.ts";

/** Answers the value, or `undefined` when the text does not fit. */
export type Parse<T> = (text: string) => T | undefined;

export const text: Parse<string> = (value) => value;

export function integer(least: number, most: number): Parse<number> {
  return (value) => {
    const number = Number(value);
    return /^\d+$/.test(value) && number >= least && number <= most ? number : undefined;
  };
}

export function number(least: number, most: number): Parse<number> {
  return (value) => {
    const parsed = Number(value);
    return /^\d+(\.\d+)?$/.test(value) && parsed >= least && parsed <= most ? parsed : undefined;
  };
}

export function oneOf<T extends string>(
  values: readonly T[],
  normalize = (value: string) => value,
): Parse<T> {
  return (value) => values.find((each) => each === normalize(value));
}

export function url(...protocols: string[]): Parse<string> {
  return (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : undefined;
}

/** At least 16 visible ASCII characters, as a header can carry them. */
export const token: Parse<string> = (value) => /^[\x21-\x7e]{16,}$/.test(value) ? value : undefined;

export const list: Parse<readonly string[]> = (value) =>
  value.split(",").map((item) => item.trim()).filter((item) => item !== "");

/** `sqlite:<path>` and `postgres://…`, separated by commas. */
export const databases: Parse<readonly DatabaseTarget[]> = (value) => {
  const targets: DatabaseTarget[] = [];
  for (const item of list(value)!) {
    const target = database(item);
    if (!target) return undefined;
    const same = targets.filter(({ name }) =>
      name === target.name || name.startsWith(`${target.name}#`)
    ).length;
    targets.push(same === 0 ? target : { ...target, name: `${target.name}#${same + 1}` });
  }
  return targets;
};

function database(item: string): DatabaseTarget | undefined {
  const path = /^sqlite:(.+)$/.exec(item)?.[1];
  if (path !== undefined) return { name: basename(path), kind: "sqlite", path };
  if (!/^postgres(ql)?:\/\//.test(item) || !URL.canParse(item)) return undefined;
  const { host, pathname } = new URL(item);
  return { name: `${host}${pathname}`, kind: "postgres", url: item };
}

/** The value as it may be shown: passwords in addresses are masked. */
export function masked(value: string): string {
  return `"${value.replace(/(:\/\/[^\s/:@]*):[^\s@]*@/g, "$1:***@")}"`;
}
