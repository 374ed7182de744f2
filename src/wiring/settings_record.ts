/**
 * Puts on record at the start what the server runs with, when that is not what it ran with before.
 *
 * @module
 */
import { createHmac, type KeyObject } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { CONFIG_CHANGED, TOKEN_CHANGED } from "../actors/record_streams.ts";
import type { Records } from "../actors/records.ts";
import type { Config } from "../config/config.ts";
import { masked } from "../config/masked.ts";
import { VARIABLES } from "../config/variables.ts";
import type { EventMeta } from "../events/event.ts";

export interface SettingsParts {
  readonly config: Config;
  /** `<name>+<key id>+<base64 key>`. */
  readonly verifierKey: string;
  readonly signingKey: KeyObject;
  readonly adminToken: string;
}

const START: EventMeta = {
  actor: "system",
  request_id: null,
  causation_id: null,
  reason: "the server started",
};
/** Bytes of a token's fingerprint. */
const FINGERPRINT_BYTES = 8;

export async function recordSettings(records: Records, parts: SettingsParts): Promise<void> {
  const settings = shownSettings(parts);
  const before = (await records.last(CONFIG_CHANGED))?.data["settings"] as typeof settings | undefined;
  const names = [...new Set([...Object.keys(settings), ...Object.keys(before ?? {})])];
  const changed = names.filter((name) => !isDeepStrictEqual(settings[name], before?.[name]));
  if (changed.length > 0) await records.append(CONFIG_CHANGED, { changed, settings }, START);

  const fingerprint = fingerprintOf(parts);
  const known = (await records.last(TOKEN_CHANGED))?.data["fingerprint"];
  if (known !== fingerprint) {
    const source = parts.config.token === undefined ? "file" : "environment";
    await records.append(TOKEN_CHANGED, { name: "admin", source, fingerprint }, START);
  }
}

/** By variable; what could hold a secret only as far as it may be shown. */
function shownSettings({ config, verifierKey }: SettingsParts): Record<string, unknown> {
  const host = (text: string | undefined) => text === undefined ? null : JSON.parse(masked(text, "host"));
  return {
    [VARIABLES.host.name]: config.host,
    [VARIABLES.port.name]: config.port,
    [VARIABLES.dataDir.name]: config.dataDir,
    [VARIABLES.kvPath.name]: config.kvPath,
    [VARIABLES.role.name]: config.role,
    [VARIABLES.concurrency.name]: config.concurrency,
    [VARIABLES.backoffBaseSeconds.name]: config.backoffBaseSeconds,
    [VARIABLES.logLevel.name]: config.logLevel,
    [VARIABLES.logFormat.name]: config.logFormat,
    [VARIABLES.smtpUrl.name]: host(config.smtpUrl),
    [VARIABLES.mailFrom.name]: config.mailFrom,
    [VARIABLES.cacheUrl.name]: host(config.cacheUrl),
    [VARIABLES.databases.name]: config.databases.map(({ name, kind }) => ({ name, kind })),
    [VARIABLES.logDirs.name]: config.logDirs,
    [VARIABLES.templateDir.name]: config.templateDir ?? null,
    [VARIABLES.handlersDir.name]: config.handlersDir ?? null,
    [VARIABLES.signingKeyPath.name]: config.signingKeyPath,
    [VARIABLES.witness.name]: config.witness?.includes("://") ? host(config.witness) : config.witness ?? null,
    signing_key: verifierKey,
  };
}

/**
 * Tells two tokens apart to whoever has the log, and lets nobody without the signing key try out tokens against it. With
 * another signing key it is another one, so the token is put on record anew.
 */
function fingerprintOf({ signingKey, adminToken }: SettingsParts): string {
  const key = signingKey.export({ type: "pkcs8", format: "der" });
  return createHmac("sha256", key).update("daybook token\n").update(adminToken).digest()
    .subarray(0, FINGERPRINT_BYTES).toString("hex");
}
