/**
 * Ends what is open for a caller when the caller goes, or when the server stops.
 *
 * @module
 */

/**
 * A signal that fires with the first of `signals`, until it is disposed of. `AbortSignal.any` would stay with a signal
 * that outlives the request.
 */
export function untilAny(...signals: readonly AbortSignal[]): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of signals) {
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}
