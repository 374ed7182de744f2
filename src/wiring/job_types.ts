/**
 * The job types of this process: those that ship and those of `DAYBOOK_HANDLERS`.
 *
 * @module
 */
import { JobTypeRegistry } from "../actors/job_type_registry.ts";
import { cacheFlush } from "../handlers/cache_flush.ts";
import { cleanup } from "../handlers/cleanup.ts";
import { dbOptimize } from "../handlers/db_optimize.ts";
import { emailSend } from "../handlers/email_send.ts";
import { logRotate } from "../handlers/log_rotate.ts";
import { loadHandlers } from "./handler_folder.ts";

/** @throws {HandlerFolderError} If the folder cannot be read or a file in it holds no handler. */
export async function jobTypes(folder: string | undefined): Promise<JobTypeRegistry> {
  const registry = new JobTypeRegistry()
    .register(cacheFlush).register(dbOptimize).register(logRotate).register(emailSend).register(cleanup);
  if (folder !== undefined) {
    for (const { handler, moduleUrl } of await loadHandlers(folder)) registry.register(handler, moduleUrl);
  }
  return registry;
}
