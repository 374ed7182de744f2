/**
 * The rooms of the house and the arrows between them: who may import from whom.
 *
 * @module
 */

/** The handlers' interface: a leaf that imports nothing of ours and that every room but `events` may take types of. */
const HANDLER_INTERFACE = "src/handlers/handler.ts";

/** By room, the rooms whose files it may import, besides its own and the types of the handlers' interface. */
const ARROWS: Readonly<Record<string, readonly string[] | "all">> = {
  events: [],
  actors: ["events"],
  audit: ["events", "actors"],
  api: ["events", "actors", "audit"],
  handlers: [],
  cache: [],
  logging: [],
  config: [],
  wiring: ["events", "actors", "audit", "api", "handlers", "cache", "logging", "config"],
  tasks: "all",
};

/** Of `src/handlers/email_send/smtp.ts` and of `src/handlers/email_send.ts`: `email_send`. */
function handlerOf(path: string): string | undefined {
  return /^src\/handlers\/([^/]+?)(?:\.ts)?(?:\/|$)/.exec(path)?.[1];
}

function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/**
 * Why the file `from` may not import the file `to`, or `undefined` when it may. Paths are relative to the project's
 * root, with `/`.
 */
export function objectionTo(from: string, to: string, typeOnly: boolean): string | undefined {
  if (to === "main.ts") return "nothing imports main.ts";
  if (to.startsWith("tests/") || to.startsWith("bench/")) return "nothing imports tests or bench";
  if (from === "main.ts") return undefined;

  const room = roomOf(from);
  const other = roomOf(to);
  if (room === undefined) return "a file of src belongs into one of its rooms";
  const arrows = ARROWS[room];
  if (arrows === undefined) return `src/${room} is no room that src/tasks/arrows/rooms.ts knows`;
  if (room === "handlers" && other === "handlers") return objectionBetweenHandlers(from, to);
  if (other === undefined || other === room || arrows === "all" || arrows.includes(other)) return undefined;
  if (to === HANDLER_INTERFACE && room !== "events") {
    return typeOnly || room === "handlers"
      ? undefined
      : `${room} may take only types of the handlers' interface (import type)`;
  }
  return `${room} may import ${listed(room, arrows)}`;
}

function objectionBetweenHandlers(from: string, to: string): string | undefined {
  if (from === HANDLER_INTERFACE) return "the handlers' interface imports nothing of ours";
  if (to === HANDLER_INTERFACE || handlerOf(from) === handlerOf(to)) return undefined;
  return "a handler imports only its own folder and the handlers' interface, no other handler";
}

function listed(room: string, arrows: readonly string[]): string {
  if (room === "events") return "nothing of ours";
  return [...arrows, "types of the handlers' interface"].join(", ");
}
