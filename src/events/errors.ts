/**
 * What can go wrong with the log, one class for each condition that a caller can act on.
 *
 * @module
 */

/** An event is larger than the log takes. Nothing was written. */
export class EventTooLargeError extends RangeError {
  override readonly name = "EventTooLargeError";
  constructor(
    readonly stream: string,
    readonly type: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`Cannot append ${type} to stream "${stream}": it has ${bytes} bytes, at most ${limit} are allowed`);
  }
}

/** The writer's idea of a stream's length is not the log's. Nothing was written; read and decide again. */
export class ExpectedVersionConflictError extends Error {
  override readonly name = "ExpectedVersionConflictError";
  constructor(readonly stream: string, readonly expected: number, readonly actual: number) {
    super(`Cannot append to stream "${stream}": expected version ${expected}, current version is ${actual}`);
  }
}

/** The log takes no writes now, and this one was certainly not written. Try again later. */
export class LogUnavailableError extends Error {
  override readonly name = "LogUnavailableError";
  constructor(readonly why: string, options?: ErrorOptions) {
    super(`The log cannot take the write: ${why}`, options);
  }
}

/**
 * The commit was sent and it is not known whether it landed. `settled` tells as soon as it is known, which may take as
 * long as the store is away.
 */
export class UnknownOutcomeError extends Error {
  override readonly name = "UnknownOutcomeError";
  constructor(readonly settled: Promise<"landed" | "lost">, readonly why: string, options?: ErrorOptions) {
    super(`It is not known whether the write landed: ${why}`, options);
  }
}

/** What was to be read could not be: the store is away, or its disk fails. Nothing is known to be wrong with what is stored. */
export class StoreUnreadableError extends Error {
  override readonly name = "StoreUnreadableError";
  constructor(cause: unknown) {
    super(`The store could not be read: ${messageOf(cause)}`, { cause });
  }
}

/** The store holds events that the log's head does not count. To go on would write over them. Nothing was written. */
export class LogDamagedError extends Error {
  override readonly name = "LogDamagedError";
  constructor(readonly counted: number) {
    super(
      `The log is damaged: its head counts ${counted} events, but there are more. Nothing was written. Restore a backup, ` +
        "or look at it with 'deno task audit verify'",
    );
  }
}

/** Another writer has taken the log over; this process may write no more. */
export class LogFencedError extends Error {
  override readonly name = "LogFencedError";
  constructor(readonly logId: string, readonly epoch: number, readonly foundEpoch: number) {
    super(
      `This process has lost log ${logId}: it holds epoch ${epoch}, the log is at epoch ${foundEpoch}, which another process ` +
        "has opened. Stop this one",
    );
  }
}

/** Of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
