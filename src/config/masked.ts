/**
 * How a value from the environment may be shown.
 *
 * @module
 */

const MAX_SHOWN = 120;

/** How much of a value may be shown: all of it, of an address scheme and host, or nothing. */
export type Shown = "all" | "host" | "nothing";

/**
 * The value in quotes, on one line and shortened.
 *
 * Of an address only scheme and host are shown: it may hold a password in any of its other parts, and when it does not
 * parse it is not known which is which.
 */
export function masked(value: string, shown: Shown): string {
  if (shown === "nothing") return `of ${value.length} characters that are not shown`;
  return quoted(shown === "host" || value.includes("://") ? address(value) : value);
}

function address(value: string): string {
  if (value.startsWith("sqlite:")) return value;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(value)?.[0] ?? "";
  const host = scheme === "" ? "" : URL.parse(value)?.host ?? "";
  return `${scheme}${host}${scheme + host === value ? "" : "…"}`;
}

function quoted(value: string): string {
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}
