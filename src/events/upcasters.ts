/**
 * Upcasters: how an event that an older version stored is read today.
 *
 * An upcaster takes an event's data from one `schema_version` to the next. Stored bytes never change.
 *
 * @module
 */
import type { EventEnvelope } from "./event.ts";

type Data = Readonly<Record<string, unknown>>;
export type Upcaster = (data: Data) => Data;

export class Upcasters {
  /** By type, then by the version that an upcaster starts from. */
  readonly #steps = new Map<string, Map<number, Upcaster>>();

  /** @throws {RangeError} If there is one for this type and version. */
  add(type: string, fromVersion: number, upcast: Upcaster): this {
    const steps = this.#steps.get(type) ?? new Map<number, Upcaster>();
    if (steps.has(fromVersion)) throw new RangeError(`${type} has two upcasters from version ${fromVersion}`);
    this.#steps.set(type, steps.set(fromVersion, upcast));
    return this;
  }

  /** The event in the newest version known; the same object when there is nothing to do. */
  upcast(event: EventEnvelope): EventEnvelope {
    const steps = this.#steps.get(event.type);
    if (!steps) return event;
    let { schema_version, data } = event;
    for (let step = steps.get(schema_version); step; step = steps.get(schema_version)) {
      data = step(data);
      schema_version += 1;
    }
    return schema_version === event.schema_version ? event : { ...event, schema_version, data };
  }
}
