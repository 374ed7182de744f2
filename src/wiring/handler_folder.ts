/**
 * The job types of `DAYBOOK_HANDLERS`: each `.ts` file in the folder is one, its default export the handler.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyHandler } from "../actors/job_type_registry.ts";
import { firstLineOf } from "./first_line.ts";

/** A folder or a file in it is not what it should be; the message names it. */
export class HandlerFolderError extends Error {
  override readonly name = "HandlerFolderError";
}

const NO_HANDLER = /(_test|\.d)\.ts$/;
const JOB_TYPE = /^[a-z0-9_]{1,64}$/;

/** @throws {HandlerFolderError} If the folder cannot be read or a file holds no handler. */
export async function loadHandlers(
  folder: string,
): Promise<{ handler: AnyHandler; moduleUrl: string; path: string }[]> {
  const handlers = [];
  for (const name of await filesIn(folder)) {
    const path = join(resolve(folder), name);
    const moduleUrl = pathToFileURL(path).href;
    handlers.push({ handler: await load(path, moduleUrl), moduleUrl, path });
  }
  return handlers;
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const names = [];
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory && name.endsWith(".ts") && !NO_HANDLER.test(name)) names.push(name);
    }
    return names.sort();
  } catch (cause) {
    throw new HandlerFolderError(
      `DAYBOOK_HANDLERS: cannot read the folder ${folder}: ${firstLineOf(cause)}`,
      {
        cause,
      },
    );
  }
}

async function load(path: string, moduleUrl: string): Promise<AnyHandler> {
  let handler: Partial<AnyHandler> | undefined;
  try {
    handler = (await import(moduleUrl)).default;
  } catch (cause) {
    throw new HandlerFolderError(`DAYBOOK_HANDLERS: cannot load ${path}: ${firstLineOf(cause)}`, { cause });
  }
  const missing = [
    typeof handler?.jobType === "string" && JOB_TYPE.test(handler.jobType) ? "" : "jobType ([a-z0-9_]{1,64})",
    typeof handler?.payloadSchema?.safeParse === "function" ? "" : "payloadSchema (a zod schema)",
    typeof handler?.run === "function" ? "" : "run (a function)",
  ].filter(Boolean);
  if (missing.length > 0) {
    throw new HandlerFolderError(
      `DAYBOOK_HANDLERS: ${path} has no handler as its default export: it lacks ${missing.join(", ")}`,
    );
  }
  return handler as AnyHandler;
}
