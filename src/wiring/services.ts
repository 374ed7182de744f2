/**
 * What handlers may use of the runtime, from the configuration.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config/config.ts";
import type { Cache, ExpiringRecords, HandlerServices, LogFiles } from "../handlers/handler.ts";

/** Archives that `log_rotate` keeps of each log file. */
const ARCHIVES_KEPT = 30;

export function handlerServices(
  config: Config,
  parts: { readonly cache: Cache; readonly ownLog: LogFiles["own"]; readonly records: ExpiringRecords },
): HandlerServices {
  const shippedTemplates = fileURLToPath(new URL("../../templates", import.meta.url));
  return {
    cache: parts.cache,
    mail: {
      ...(config.smtpUrl !== undefined && { smtpUrl: config.smtpUrl }),
      from: config.mailFrom,
      outboxDir: join(config.dataDir, "outbox"),
      templateDirs: [...(config.templateDir === undefined ? [] : [config.templateDir]), shippedTemplates],
    },
    logs: { own: parts.ownLog, dirs: config.logDirs, keep: ARCHIVES_KEPT },
    databases: config.databases,
    records: parts.records,
    tempDir: join(config.dataDir, "tmp"),
  };
}
