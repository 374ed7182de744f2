/**
 * An event as a CloudEvent 1.0 in its JSON format. It is a view: the stored bytes cannot be had back from it.
 *
 * @see {@link https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md}
 * @module
 */
import type { EventEnvelope } from "../../events/event.ts";

/** Attributes whose values are null are left out, as the specification asks. */
export function cloudEvent(event: EventEnvelope): Record<string, unknown> {
  const extensions = {
    position: event.position,
    streamversion: event.version,
    schemaversion: event.schema_version,
    machineversion: event.machine_version,
    actor: event.actor,
    requestid: event.request_id,
    causationid: event.causation_id,
    reason: event.reason,
  };
  return {
    specversion: "1.0",
    id: `${event.partition}/${event.position}`,
    source: `urn:uuid:${event.log_id}`,
    type: `daybook.${event.type}`,
    subject: event.stream,
    time: event.time,
    datacontenttype: "application/json",
    ...Object.fromEntries(Object.entries(extensions).filter(([, value]) => value !== null && value !== "")),
    data: event.data,
  };
}
