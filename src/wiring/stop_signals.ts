/**
 * The operating system's wishes to stop.
 *
 * @module
 */

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Calls `onFirst` for the first such signal and `onAgain` for each that follows, with how many there were; answers a
 * function that ends it.
 */
export function onStopSignal(
  onFirst: (signal: Deno.Signal) => void,
  onAgain: (times: number) => void,
): () => void {
  let times = 0;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      times += 1;
      if (times === 1) onFirst(signal);
      else onAgain(times);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
}
