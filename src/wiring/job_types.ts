/**
 * The job types of this process: those that ship and those of `DAYBOOK_HANDLERS`.
 *
 * @module
 */
import { BULK_OPERATION } from "../actors/bulk_job_type.ts";
import { JobTypeRegistry } from "../actors/job_type_registry.ts";
import { cacheFlush } from "../handlers/cache_flush.ts";
import { cleanup } from "../handlers/cleanup.ts";
import { dbOptimize } from "../handlers/db_optimize.ts";
import { emailSend } from "../handlers/email_send.ts";
import { logRotate } from "../handlers/log_rotate.ts";
import { HandlerFolderError, loadHandlers } from "./handler_folder.ts";

/** @throws {HandlerFolderError} If the folder cannot be read, or a file in it holds no handler or one that cannot be taken. */
export async function jobTypes(folder: string | undefined): Promise<JobTypeRegistry> {
  const registry = new JobTypeRegistry()
    .register(cacheFlush).register(dbOptimize).register(logRotate).register(emailSend).register(cleanup);
  if (folder !== undefined) {
    for (const { handler, moduleUrl, path } of await loadHandlers(folder)) {
      try {
        if (handler.jobType === BULK_OPERATION) {
          throw new TypeError(`The job type '${BULK_OPERATION}' is Daybook's own`);
        }
        registry.register(handler, moduleUrl);
      } catch (cause) {
        throw new HandlerFolderError(`DAYBOOK_HANDLERS: ${path}: ${(cause as Error).message}`, { cause });
      }
    }
  }
  return registry;
}
