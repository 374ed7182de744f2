/**
 * Chooses the cache by its address.
 *
 * @module
 */
import type { ClosableCache } from "./closable_cache.ts";
import { openEmbeddedCache } from "./embedded_cache.ts";
import { openRedisCache } from "./redis_cache.ts";

/**
 * Opens the cache in Redis when there is an address, else the embedded one in the file at `path`.
 *
 * @param url `redis://` or `rediss://`, as `DAYBOOK_CACHE_URL` has it.
 * @throws {TypeError} When the address does not fit.
 */
export function openCache(url: string | undefined, path: string): Promise<ClosableCache> {
  return url === undefined ? openEmbeddedCache(path) : openRedisCache(url);
}
