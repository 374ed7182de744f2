/**
 * The jobs that a walk over lists may have missed. A job that no event has befallen meanwhile stays where it is in the
 * lists, so those that the log tells of while it is listened to are all.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import type { JobChange } from "./job/projector.ts";
import type { JobState } from "./job/state.ts";

export class ChangedMeanwhile implements Disposable {
  readonly #ids = new Set<string>();
  readonly #stop: () => void;

  /** @param isWanted Asked after each change; only jobs that are wanted after their last one are kept. */
  constructor(log: Pick<EventLog<JobChange>, "listen">, isWanted: (state: JobState) => boolean) {
    this.#stop = log.listen({
      landed: (appends) => {
        for (const { change: { after } } of appends) {
          if (isWanted(after)) this.#ids.add(after.id);
          else this.#ids.delete(after.id);
        }
      },
    });
  }

  /** Ids of those since the last call. */
  take(): readonly string[] {
    const taken = [...this.#ids];
    this.#ids.clear();
    return taken;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
