/**
 * Reads a cache address such as `redis://user:password@host:6379/2?prefix=myapp:`.
 *
 * @module
 */

/** Where a Redis cache is and which keys are its own. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  /** Every key of the cache begins with it. */
  readonly prefix: string;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

const DEFAULT_PORT = 6379;
const DEFAULT_PREFIX = "daybook:";
const MAX_PREFIX_LENGTH = 128;
const FORM = "it must read redis://host:port/db?prefix=… (or rediss:// for TLS)";

/**
 * The parts of the address; port 6379, database 0 and prefix `daybook:` unless it says otherwise.
 *
 * @throws {TypeError} When it does not fit. The message does not quote the address, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "") {
    throw new TypeError(`The cache address is not a Redis address: ${FORM}`);
  }
  const db = /^\/?(\d{0,6})$/.exec(url.pathname)?.[1];
  if (db === undefined) throw new TypeError(`The cache address has no database number as its path: ${FORM}`);
  for (const name of url.searchParams.keys()) {
    if (name !== "prefix") {
      throw new TypeError(`The cache address has an unknown parameter '${name}': ${FORM}`);
    }
  }
  const prefix = url.searchParams.get("prefix") ?? DEFAULT_PREFIX;
  if (prefix.length === 0 || prefix.length > MAX_PREFIX_LENGTH) {
    throw new TypeError(
      `The cache address has a prefix of ${prefix.length} characters: it must have 1 to ${MAX_PREFIX_LENGTH}, ` +
        "for a flush removes all that begins with it",
    );
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    db: Number(db),
    prefix,
    tls: url.protocol === "rediss:",
    ...(url.username !== "" && { username: decoded(url.username) }),
    ...(url.password !== "" && { password: decoded(url.password) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("The cache address has a user or password with a broken %-escape");
  }
}
