/**
 * Calls that are made a fixed number at a time.
 *
 * @module
 */

/** Makes `calls` calls, `inFlight` at a time, each as soon as the one before it in its place has ended. */
export async function keepInFlight(
  calls: number,
  inFlight: number,
  call: () => Promise<void>,
): Promise<void> {
  let left = calls;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (left-- > 0) await call();
  }));
}
