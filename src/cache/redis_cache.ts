/**
 * A cache in Redis or Valkey, shared by all that use the same server and prefix.
 *
 * Only keys under its prefix are ever read, written or removed; a flush looks for them with `SCAN` and removes them
 * one batch after the other with `UNLINK`, so that a large cache blocks neither the server nor this process. The
 * bytes that a flush reports are the server's own figures, by `MEMORY USAGE`, which the user of the address must be
 * allowed to call.
 *
 * The server need not be there when the cache is opened: each call connects when there is no connection, and fails
 * within seconds when none can be had.
 *
 * @module
 */
import type { Redis } from "ioredis";
import type { CacheSelection, Json } from "../handlers/handler.ts";
import type { ClosableCache } from "./closable_cache.ts";
import { checkKey, encodeValue, ttlMilliseconds } from "./entry_limits.ts";
import { compileGlob } from "./glob.ts";
import { parseRedisUrl } from "./redis_url.ts";
import type { RedisAddress } from "./redis_url.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 10_000;
/** Keys that one `SCAN` looks at. */
const SCAN_COUNT = 500;

/**
 * Opens the cache at `redis://host:port/db?prefix=…`, or `rediss://` for TLS. It connects at its first use.
 *
 * Every call throws an `Error` that names host and port when the server cannot be reached or refuses.
 *
 * @throws {TypeError} When the address does not fit.
 */
export async function openRedisCache(url: string): Promise<ClosableCache> {
  const address = parseRedisUrl(url);
  const { Redis } = await import("ioredis");
  const redis = new Redis({
    host: address.host,
    port: address.port,
    family: 0,
    db: address.db,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // A call that needs the connection asks for it anew; nothing keeps trying in the background.
    retryStrategy: () => null,
    ...(address.tls && { tls: {} }),
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
  });
  return new RedisCache(redis, address);
}

class RedisCache implements ClosableCache {
  #connecting: Promise<void> | undefined;
  #connectionError: Error | undefined;

  constructor(private readonly redis: Redis, private readonly address: RedisAddress) {
    // The call that waits for the connection gets a message without the cause's details; they arrive here only.
    redis.on("error", (error: Error) => this.#connectionError = error);
    redis.on("ready", () => this.#connectionError = undefined);
  }

  async get(key: string): Promise<Json | undefined> {
    checkKey(key);
    const json = await this.call((redis) => redis.get(this.address.prefix + key));
    return json === null ? undefined : decode(json);
  }

  async set(key: string, value: Json, options: { ttlSeconds?: number } = {}): Promise<void> {
    checkKey(key);
    const stored = this.address.prefix + key;
    const json = new TextDecoder().decode(encodeValue(value));
    const ttl = options.ttlSeconds === undefined ? undefined : ttlMilliseconds(options.ttlSeconds);
    await this.call((redis) =>
      ttl === undefined ? redis.set(stored, json) : redis.set(stored, json, "PX", ttl)
    );
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key);
    return await this.call((redis) => redis.unlink(this.address.prefix + key)) > 0;
  }

  async flush(selection: CacheSelection, signal?: AbortSignal): Promise<{ items: number; bytes: number }> {
    const freed = { items: 0, bytes: 0 };
    signal?.throwIfAborted();
    // Redis has removed what is expired, or does so before anyone sees it.
    if (!selection.all && selection.pattern === undefined) return freed;
    const { prefix } = this.address;
    const glob = selection.all ? undefined : compileGlob(selection.pattern ?? "*");
    const match = escapeGlob(prefix + (glob?.head ?? "")) + "*";
    let cursor = "0";
    do {
      signal?.throwIfAborted();
      const [next, found] = await this.call((redis) =>
        redis.scan(cursor, "MATCH", match, "COUNT", SCAN_COUNT)
      );
      const keys = [...new Set(found)].filter((key) => glob?.matches(key.slice(prefix.length)) ?? true);
      const removed = keys.length === 0 ? { items: 0, bytes: 0 } : await this.remove(keys);
      freed.items += removed.items;
      freed.bytes += removed.bytes;
      cursor = next;
    } while (cursor !== "0");
    return freed;
  }

  async close(): Promise<void> {
    if (this.redis.status === "wait" || this.redis.status === "end") return;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.redis.once("end", resolve);
    this.redis.disconnect();
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Measures and removes each key. `SCAN` may name one twice and others may be faster: only what went counts. */
  private async remove(keys: readonly string[]): Promise<{ items: number; bytes: number }> {
    return await this.call(async (redis) => {
      const pipeline = redis.pipeline();
      for (const key of keys) pipeline.memory("USAGE", key).unlink(key);
      const replies = (await pipeline.exec() ?? []).map(([error, reply]) => {
        if (error !== null) throw error;
        return Number(reply ?? 0);
      });
      const freed = { items: 0, bytes: 0 };
      for (let at = 0; at < replies.length; at += 2) {
        if (replies[at + 1] !== 1) continue;
        freed.items += 1;
        freed.bytes += replies[at] ?? 0;
      }
      return freed;
    });
  }

  private async call<Reply>(command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    try {
      await this.connect();
      return await command(this.redis);
    } catch (error) {
      throw this.describe(error as Error);
    }
  }

  private async connect(): Promise<void> {
    if (this.redis.status === "ready") return;
    this.#connecting ??= this.redis.connect().finally(() => this.#connecting = undefined);
    await this.#connecting;
  }

  /** The error in our words, without the cause: that carries the command's arguments, and so the password. */
  private describe(error: Error): Error {
    const server = `Redis at ${this.address.host}:${this.address.port}`;
    if (error.name === "ReplyError") return new Error(`${server} refused: ${error.message}`);
    const reason = this.#connectionError ?? error;
    return new Error(`${server} cannot be reached: ${reason.message || (reason as { code?: string }).code}`);
  }
}

function decode(json: string): Json {
  try {
    return JSON.parse(json);
  } catch {
    throw new TypeError("A cache entry in Redis is not JSON: something else writes under the cache's prefix");
  }
}

/** `text` as a Redis pattern that matches itself only. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}
