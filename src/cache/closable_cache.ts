/**
 * A cache together with the way to let go of what holds it.
 *
 * @module
 */
import type { Cache } from "../handlers/handler.ts";

/** A {@linkcode Cache} that holds a file or a connection until it is closed; `await using` closes it too. */
export interface ClosableCache extends Cache, AsyncDisposable {
  /** Lets go of the file or connection; harmless when done before. No other call may be under way. */
  close(): Promise<void>;
}
