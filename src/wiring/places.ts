/**
 * The files and folders that the settings name, told as the setting's fault when they cannot be had.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { adminTokenPath } from "./admin_token.ts";
import type { ClosableCache } from "../cache/closable_cache.ts";
import { openCache } from "../cache/open_cache.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config_error.ts";
import { createKvFile } from "../config/kv_file.ts";
import { masked } from "../config/masked.ts";
import { diskErrorAt } from "./disk_error.ts";
import { firstLineOf } from "./first_line.ts";
import { lockStore, StoreLockedError } from "./store_lock.ts";

/** The embedded cache's file cannot be used. */
export class CacheFileError extends Error {
  override readonly name = "CacheFileError";
}

/** @throws {ConfigError} If there can be no such folder. */
export async function makeDataFolder(path: string): Promise<void> {
  await namedBy(
    "DAYBOOK_DATA",
    path,
    "a folder that Daybook can make and write",
    () => Deno.mkdir(path, { recursive: true }),
  );
}

/**
 * Locks the file, as {@linkcode lockStore} does, which need not be there yet.
 *
 * @throws {ConfigError} If it cannot be made there.
 */
export function lockKvFile(path: string): Promise<() => void> {
  return namedBy("DAYBOOK_KV", path, "a file that Daybook can make and write", async () => {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await lockStore(path);
  });
}

/** What tells that Daybook has run in the data folder before. A key alone may be one that was put there for a first start. */
export function hasRunBefore(
  { dataDir, signingKeyPath }: Pick<Config, "dataDir" | "signingKeyPath">,
): boolean {
  return existsSync(signingKeyPath) &&
    (existsSync(adminTokenPath(dataDir)) || existsSync(join(dataDir, "logs", "daybook.log")));
}

/**
 * @returns With whether the file is new.
 * @throws {ConfigError} If it is there and no Deno KV file, or cannot be made.
 */
export function openKvFile(path: string): Promise<{ kv: Deno.Kv; isNew: boolean }> {
  return namedBy("DAYBOOK_KV", path, "a file of Deno KV's, or one that is not there yet", async () => {
    const isNew = await createKvFile(path);
    return { kv: await Deno.openKv(path), isNew };
  });
}

/** @throws {CacheFileError | DiskError} If the embedded cache's file cannot be used. */
export async function openCacheAt(url: string | undefined, path: string): Promise<ClosableCache> {
  try {
    return await openCache(url, path);
  } catch (cause) {
    if (url !== undefined) throw cause;
    const why = firstLineOf(cause);
    throw diskErrorAt(path, cause) ??
      new CacheFileError(`The cache ${path} cannot be opened (${why}). Remove it: it is made anew`, {
        cause,
      });
  }
}

async function namedBy<T>(
  variable: string,
  path: string,
  mayBe: string,
  prepare: () => Promise<T>,
): Promise<T> {
  try {
    return await prepare();
  } catch (error) {
    if (error instanceof StoreLockedError) throw error;
    throw diskErrorAt(path, error) ??
      new ConfigError(variable, masked(path, "all"), `${mayBe} (${firstLineOf(error)})`);
  }
}
