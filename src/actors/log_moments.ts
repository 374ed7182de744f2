/**
 * Where in the log a moment is: times never fall from one position to the next.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";

/** Number of events that had happened at the moment, in milliseconds since the epoch; reads some twenty of them. */
export async function eventsBy(
  log: Pick<EventLog<unknown>, "position" | "read">,
  moment: number,
): Promise<number> {
  let [low, high] = [0, log.position];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [stored] = await log.read(middle, 1);
    if (Date.parse(stored!.event.time) <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
