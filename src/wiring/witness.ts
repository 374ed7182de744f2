/**
 * The witness: keeps the log's checkpoints where who can write to the log's file cannot.
 *
 * @module
 */
import { appendNotes } from "./witness_file.ts";

export interface Witness {
  /** Does not throw; what could not be kept is tried again with the next. */
  keep(note: string): void;
  /** Resolves when all that was given is kept, or could not be. */
  close(): Promise<void>;
}

export interface WitnessOptions {
  /** Told when a checkpoint could not be kept, and when that is over. */
  readonly onTrouble: (why: string) => void;
  /** How long `close` waits for a server that does not answer, in milliseconds. Default 3000. */
  readonly closeLimitMs?: number;
}

const POST_LIMIT_MS = 10_000;
/** Checkpoints that wait for a witness that is away; of those a file misses, the oldest go first. */
const MAX_WAITING = 1_000;

/** @param where A file that checkpoints are appended to, or an `http(s)://` address that each is posted to. */
export function openWitness(where: string, { onTrouble, closeLimitMs = 3_000 }: WitnessOptions): Witness {
  const closed = new AbortController();
  const send = /^https?:\/\//.test(where)
    ? (notes: string[]) => post(where, notes, closed.signal)
    : (notes: string[]) => append(where, notes);
  let waiting: string[] = [];
  let sending: Promise<void> | undefined;

  return {
    keep(note) {
      waiting = [...waiting, note].slice(-MAX_WAITING);
      start();
    },
    async close() {
      const limit = setTimeout(() => closed.abort(), closeLimitMs);
      await sending;
      start();
      await sending;
      clearTimeout(limit);
    },
  };

  function start(): void {
    if (waiting.length > 0) sending ??= run().finally(() => sending = undefined);
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const notes = waiting;
      waiting = [];
      try {
        await send(notes);
      } catch (error) {
        waiting = [...notes, ...waiting].slice(-MAX_WAITING);
        onTrouble(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
        return;
      }
    }
  }
}

async function append(path: string, notes: readonly string[]): Promise<void> {
  using file = await openToAppend(path);
  await appendNotes(file, notes);
}

async function openToAppend(path: string): Promise<Deno.FsFile> {
  const options = { append: true, create: true, mode: 0o644 };
  try {
    return await Deno.open(path, { ...options, read: true });
  } catch (error) {
    // Who keeps the witness may let Daybook write it only.
    if (error instanceof Deno.errors.PermissionDenied) return await Deno.open(path, options);
    throw error;
  }
}

/** The latest says all that those before it said. */
async function post(address: string, notes: readonly string[], closed: AbortSignal): Promise<void> {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: notes.at(-1)!,
    signal: AbortSignal.any([AbortSignal.timeout(POST_LIMIT_MS), closed]),
  }).catch((error) => {
    // The message of a failed request may show the address, and with it what stands before its host.
    throw new Error(`the request failed (${error instanceof Error ? error.name : "unknown"})`);
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the witness answered ${response.status}`);
}
