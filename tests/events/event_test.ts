import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeEvent, encodeEvent, type EventEnvelope } from "../../src/events/event.ts";

function eventWith(data: EventEnvelope["data"]): EventEnvelope {
  return {
    log_id: "log",
    partition: 0,
    position: 7,
    stream: "job/1",
    version: 1,
    type: "job.created",
    schema_version: 1,
    machine_version: 1,
    time: "2026-01-07T10:15:00.000Z",
    actor: "admin",
    request_id: null,
    causation_id: null,
    reason: null,
    data,
  };
}

Deno.test("encodeEvent() gives the same bytes again after decodeEvent(), whatever the data", () => {
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), (data) => {
    const bytes = encodeEvent(eventWith(data));
    assertEquals(encodeEvent(decodeEvent(bytes)), bytes);
  }));
});

Deno.test("encodeEvent() keeps half a surrogate pair as JSON's escape, not as U+FFFD", () => {
  const bytes = encodeEvent(eventWith({ text: "\ud83d" }));
  assertEquals(decodeEvent(bytes).data, { text: "\ud83d" });
});

Deno.test("decodeEvent() refuses bytes that are not UTF-8", () => {
  const bytes = encodeEvent(eventWith({ text: "é" }));
  bytes[bytes.indexOf(0xc3)] = 0xff;
  assertThrows(() => decodeEvent(bytes), TypeError);
});
