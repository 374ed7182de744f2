/**
 * Takes secrets out of what is about to be logged: credentials in addresses, `Bearer` and `Basic` tokens, values that
 * are named as secrets. A last net, not a licence: who logs still leaves secrets out.
 *
 * @module
 */

const HINT = /:\/\/|bearer|basic|(?:token|passwd|password|secret|api[_-]?key|authorization)["']?\s*[=:]/i;

// Every repetition has a bound, so that no text, however it is made, takes time beyond its length.

/** RFC 3986 userinfo: all between `://` and the last `@` before a path, query or fragment. */
const USERINFO = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]{0,1024}@/gi;
/** The same with a raw `/`, `?` or `#` inside the password; a port number after the colon is no password. */
const RAW_PASSWORD =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s:/?#@"'<>]{1,256}:(?!\d{1,5}(?:[/?#\s]|$))[^\s@"'<>]{0,1024}@/gi;
/** Prose may say "basic" something; a token of that scheme is base64 and long. */
const SCHEME = /\b(bearer\s+|basic\s+(?=[a-z0-9+/=]{12}))[a-z0-9._~+/=-]+/gi;
const NAMED =
  /\b([a-z_-]{0,40}(?:token|passwd|password|secret|api[_-]?key))(["']?\s*[=:]\s*["']?)(?!\*)[^\s&"',;}]+/gi;

const SECRET_NAME = /(?:^|_|-)(?:token|passwd|password|secret|api_?key|authorization|cookie)$/i;

/** The text with every secret that can be told by its form replaced by `***`. */
export function redact(text: string): string {
  if (!HINT.test(text)) return text;
  return text
    .replace(USERINFO, "$1***@")
    .replace(RAW_PASSWORD, "$1***@")
    .replace(SCHEME, "$1***")
    .replace(NAMED, "$1$2***");
}

/** Whether a field of this name carries a secret whatever its value. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}
