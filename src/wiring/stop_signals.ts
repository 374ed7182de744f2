/**
 * The operating system's wishes to stop.
 *
 * @module
 */

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** Calls `onFirst` for the first such signal and `onAgain` for each that follows; answers a function that ends it. */
export function onStopSignal(onFirst: (signal: Deno.Signal) => void, onAgain: () => void): () => void {
  let first = true;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      if (!first) return onAgain();
      first = false;
      onFirst(signal);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
}
