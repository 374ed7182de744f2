/**
 * Daybook's process: opens, wires, starts, and stops.
 *
 * @module
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { expiringRecords } from "./src/actors/expiring_records.ts";
import { BACKOFF_DEFAULT } from "./src/actors/job/job.ts";
import { SUPERVISOR } from "./src/actors/attempt_pool.ts";
import { errorMessage } from "./src/actors/outcome.ts";
import { AUDIT_READ, LOGIN_FAILED } from "./src/actors/record_streams.ts";
import { Runtime } from "./src/actors/runtime.ts";
import { createApp } from "./src/api/app.ts";
import type { AuditParts } from "./src/api/audit.ts";
import { FailedLoginCounter } from "./src/api/failed_logins.ts";
import { LogProofs } from "./src/audit/log_proofs.ts";
import { adminTokenVerifier } from "./src/api/tokens.ts";
import { behindBarrier } from "./src/api/turn_barrier.ts";
import { loadConfig, unknownVariables } from "./src/config/config.ts";
import { ConfigError } from "./src/config/config_error.ts";
import { sleep, systemClock } from "./src/events/clock.ts";
import { LogDamagedError } from "./src/events/errors.ts";
import type { EventMeta } from "./src/events/event.ts";
import { KvStore } from "./src/events/kv_store.ts";
import { formatVerifierKey, rawPublicKey } from "./src/events/merkle/signed_note.ts";
import { growingThread } from "./src/events/merkle/growing_thread.ts";
import type { Store } from "./src/events/store.ts";
import type { HandlerServices } from "./src/handlers/handler.ts";
import {
  logAbandoned,
  logHandlerLine,
  logJobsFound,
  logStarting,
  logStopped,
  logUncaught,
} from "./src/logging/job_lines.ts";
import { withoutPayload } from "./src/logging/without_payload.ts";
import { loggerOf, setupLogging } from "./src/logging/setup.ts";
import { AdminTokenError, loadAdminToken } from "./src/wiring/admin_token.ts";
import { watchClock } from "./src/wiring/clock_watch.ts";
import { DiskError, diskErrorAt, writtenTo } from "./src/wiring/disk_error.ts";
import { HandlerFolderError } from "./src/wiring/handler_folder.ts";
import { jobReporter } from "./src/wiring/job_reporter.ts";
import { jobTypes } from "./src/wiring/job_types.ts";
import { FileGoneError, KeptFile } from "./src/wiring/kept_file.ts";
import { listen } from "./src/wiring/listen.ts";
import { handlerServices } from "./src/wiring/services.ts";
import { recordSettings } from "./src/wiring/settings_record.ts";
import { onUncaughtError, placeOf, withoutMessage } from "./src/wiring/uncaught_errors.ts";
import { onStopSignal } from "./src/wiring/stop_signals.ts";
import { loadSigningKey, SigningKeyError } from "./src/wiring/signing_key.ts";
import { openWitness } from "./src/wiring/witness.ts";
import {
  CacheFileError,
  hasRunBefore,
  lockKvFile,
  makeDataFolder,
  openCacheAt,
  openKvFile,
} from "./src/wiring/places.ts";
import { stopUnlessStuck } from "./src/wiring/stop_unless_stuck.ts";
import { StoreLockedError } from "./src/wiring/store_lock.ts";

/** How long a stop waits for requests under way, once nothing is left to wait for. */
const ANSWERS_MS = 1_000;

const NOBODY: EventMeta = { actor: "nobody", request_id: null, causation_id: null, reason: null };

async function main(): Promise<void> {
  const config = loadConfig(Deno.env);
  await makeDataFolder(config.dataDir);
  const unlock = await lockKvFile(config.kvPath);
  const types = await jobTypes(config.handlersDir);
  const ranBefore = hasRunBefore(config);
  // Before the token and the key: a start that ends here leaves nothing by which the next one takes the folder for used.
  const { kv, isNew } = await openKvFile(config.kvPath);
  const admin = await loadAdminToken({
    dataDir: config.dataDir,
    ...(config.token !== undefined && { fromEnvironment: config.token }),
  });
  // At once, since whatever ends the start before its end would leave a token that nobody was shown.
  if (admin.created) {
    console.log(`Admin token (kept in ${admin.path}, shown only now): ${admin.token}`);
  }
  const signingKey = await loadSigningKey(config.signingKeyPath);
  const logging = setupLogging({
    level: config.logLevel,
    format: config.logFormat,
    dir: `${config.dataDir}/logs`,
    console: true,
  });
  const log = loggerOf("main");
  const worker = loggerOf("background_worker");
  onUncaughtError((error, attempt) => {
    if (attempt) {
      const shown = withoutPayload(errorMessage(error), attempt.payload);
      logUncaught(worker, { ...attempt, error: shown, place: placeOf(error) });
    } else worker.error(`Something failed that nothing catches: ${withoutMessage(error)}`);
  });
  for (const line of unknownVariables(Object.keys(Deno.env.toObject()))) log.warn(line);
  if (isNew && ranBefore) {
    log.warn(
      `A new log is begun at ${config.kvPath}, though ${config.dataDir} has been used before. ` +
        "If the log's file was moved, stop Daybook and put it back",
    );
  }
  if (config.smtpUrl === undefined) {
    log.warn(`DAYBOOK_SMTP_URL is not set: mail is written to ${config.dataDir}/outbox and sent to nobody`);
  }

  const file = await KeptFile.watch(config.kvPath, {
    onChange: (there) =>
      there
        ? loggerOf("log").warn(`${config.kvPath} is back where it was`)
        : loggerOf("log").critical(`${config.kvPath} is gone: ${new FileGoneError().message}`),
  });
  const store = new KvStore(kv, { mayWrite: () => file.mustBeThere() });
  const cache = await openCacheAt(config.cacheUrl, `${config.dataDir}/cache.kv`);
  const services: { -readonly [Part in keyof HandlerServices]: HandlerServices[Part] } = handlerServices(
    config,
    {
      cache,
      ownLog: logging.file,
      // Replaced as soon as the runtime is there, before any handler runs.
      records: { deleteCancelledJobs: () => Promise.resolve(0), deleteExpired: () => Promise.resolve(0) },
    },
  );
  const witness = config.witness === undefined ? undefined : openWitness(config.witness, {
    onTrouble: (why) => loggerOf("log").warn(`The witness did not take a checkpoint: ${why}`),
  });
  const opening = Runtime.open({
    store,
    jobTypes: types,
    services,
    concurrency: config.concurrency,
    signingKey,
    treeGrower: growingThread(),
    ...witness && { onCheckpoint: (note) => witness.keep(note) },
    handlerLog: (jobId, jobType) => (message, level) =>
      logHandlerLine(loggerOf("handlers"), { jobId, jobType, attempt: 0 }, message, level),
    onAbandoned: (attempt) => logAbandoned(worker, attempt),
    onError: (error) => {
      const disk = diskErrorAt(config.kvPath, error);
      worker.error(disk ? disk.message : `Something failed that should not: ${describe(error)}`);
    },
    onRestart: (error, pauseMs) =>
      worker.error(`Restarting in ${pauseMs} ms after a failure: ${describe(error)}`),
    onRecovered: (recovered) => {
      void runtime.jobs.queries.stats().then(({ by_status }) =>
        logJobsFound(worker, { waiting: by_status.queued, recovered })
      );
    },
  });
  const runtime: Runtime = await writtenTo(config.kvPath, opening);
  services.records = expiringRecords(store, runtime.jobs, { ...SUPERVISOR, actor: "cleanup" });
  runtime.log.listen(jobReporter(worker));
  runtime.log.listen({
    health: (health) =>
      health.ok
        ? loggerOf("log").info("The log takes writes again")
        : loggerOf("log").error(`The log takes no writes: ${health.why}`),
  });

  const verifierKey = verifierKeyOf(runtime.log.logId, signingKey);
  // Before anything else happens, so that what follows is sealed together with it.
  const settings = { config, verifierKey, signingKey, adminToken: admin.token };
  await writtenTo(config.kvPath, recordSettings(runtime.records, settings));
  const failedLogins = new FailedLoginCounter({
    clock: systemClock,
    record: (failed) => runtime.records.append(LOGIN_FAILED, { ...failed }, NOBODY),
  });

  watchClock({
    log: runtime.log,
    onBehind: (ms) =>
      loggerOf("log").warn(
        `The clock is ${
          Math.round(ms / 1000)
        } s behind the log's last event. Until it has caught up events bear that ` +
          "event's time, retries wait for so much longer, and what is scheduled for before it starts at once. Cancel and " +
          "retry starts a job that must not wait",
      ),
    onCaughtUp: () => loggerOf("log").info("The clock has caught up with the log"),
  });

  const stopping = new AbortController();
  const app = createApp({
    jobs: runtime.jobs,
    tokens: adminTokenVerifier(admin.token),
    backoffDefault: { ...BACKOFF_DEFAULT, base_seconds: config.backoffBaseSeconds },
    onFailedLogin: (address) => failedLogins.failed(address),
    audit: auditParts(runtime, store, verifierKey),
    stopping: stopping.signal,
    logger: loggerOf("api"),
  });
  const server = listen(config, behindBarrier(app.fetch));
  logStarting(worker, { concurrency: config.concurrency, pid: Deno.pid });
  runtime.start();

  const stopped = Promise.withResolvers<number>();
  const hurried = Promise.withResolvers<void>();
  onStopSignal((signal) => {
    worker.info(`🛑 ${signal}: taking no new work, waiting for ${runtime.running} running`);
    stopping.abort();
    void stop(0);
  }, (times) => {
    if (times > 2) Deno.exit(1);
    runtime.hurry();
    hurried.resolve();
  });
  // Whoever is told may send a signal at once.
  announce(config.host, server.addr.port);
  void runtime.failure().then((error) => {
    worker.critical(`Giving up after too many failures: ${describe(error)}`);
    void stop(1);
  });
  function stop(code: number): Promise<void> {
    return close(code).catch((error) => {
      console.error(`Something failed at the end: ${describe(error)}`);
      stopped.resolve(1);
    });
  }
  async function close(code: number): Promise<void> {
    const closed = server.shutdown();
    // Failed logins while the log still takes them.
    const ended = failedLogins.close().then(() => runtime.stop());
    const { stuck } = await stopUnlessStuck(ended, { log: runtime.log, hurried: hurried.promise });
    if (stuck !== undefined) {
      worker.error(
        `🛑 Stopping although the log takes no writes: ${stuck}. What was acknowledged is there; what was running runs again`,
      );
      code = 1;
    }
    // A caller that never ends its request holds up nobody; what is asked for from now on is refused.
    await Promise.race([closed, sleep(systemClock, ANSWERS_MS)]);
    await witness?.close();
    await cache.close();
    logStopped(worker, { totalProcessed: runtime.processed });
    await logging.close();
    unlock();
    stopped.resolve(code);
  }
  Deno.exit(await stopped.promise);
}

function auditParts(runtime: Runtime, store: Store, verifierKey: string): AuditParts {
  const { log, tree, records } = runtime;
  return {
    proofs: new LogProofs({
      store,
      partition: 0,
      position: () => log.position,
      catchUp: () => tree!.flush(),
      treeSize: () => tree!.size,
    }),
    verifierKey,
    onRead: (read, meta) => records.append(AUDIT_READ, { ...read }, meta),
  };
}

function verifierKeyOf(logId: string, signingKey: KeyObject): string {
  return formatVerifierKey({ name: logId, publicKey: rawPublicKey(createPublicKey(signingKey)) });
}

function announce(host: string, port: number): void {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const address = reachable.includes(":") ? `[${reachable}]` : reachable;
  console.log(`Daybook listens on http://${address}:${port}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? `${error.name}: ${error.message}` : String(error);
}

/** What the person who started Daybook can mend is told in one line. */
function isMendable(error: unknown): error is Error {
  return error instanceof ConfigError || error instanceof StoreLockedError ||
    error instanceof HandlerFolderError || error instanceof SigningKeyError ||
    error instanceof AdminTokenError || error instanceof LogDamagedError ||
    error instanceof DiskError || error instanceof CacheFileError;
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(isMendable(error) ? `Daybook cannot start: ${(error as Error).message}` : error);
    Deno.exit(1);
  }
}
