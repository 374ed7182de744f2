/**
 * A light HTTP/1.1 load: one prepared request over a fixed number of kept connections, straight on TCP.
 *
 * `fetch` costs more than what it would measure. Each answer's status is checked and its body read to the end.
 *
 * @module
 */

export interface Load {
  readonly port: number;
  /** A whole request, head and body. */
  readonly request: Uint8Array;
  readonly connections: number;
  readonly requests: number;
  readonly expectedStatus: number;
  /** More than any answer has, head and body. Default 16 KiB. */
  readonly answerBytes?: number;
}

export interface LoadFigures {
  readonly perSecond: number;
  /** Answers with the expected status; any other ends the load with an error. */
  readonly answered: number;
  /** From the first byte written to the last byte read, in milliseconds. */
  readonly latencies: Float64Array;
}

export async function load(options: Load): Promise<LoadFigures> {
  const { port, connections, requests, answerBytes = 16 * 1024 } = options;
  const latencies = new Float64Array(requests);
  let sent = 0;
  let answered = 0;
  const open = await Promise.all(
    Array.from({ length: connections }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  try {
    const began = performance.now();
    await Promise.all(open.map(async (connection) => {
      const buffer = new Uint8Array(answerBytes);
      while (sent < requests) {
        sent += 1;
        const start = performance.now();
        await exchange(connection, options, buffer);
        latencies[answered++] = performance.now() - start;
      }
    }));
    return { perSecond: requests / (performance.now() - began) * 1000, answered, latencies };
  } finally {
    for (const connection of open) connection.close();
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const HEAD = /^HTTP\/1\.1 (\d{3}) [^]*?\r\ncontent-length: *(\d+)\r\n([^]*?\r\n)?\r\n/i;

/** The request as bytes. */
export function requestBytes(head: readonly string[], body: string): Uint8Array {
  const length = encoder.encode(body).byteLength;
  return encoder.encode([...head, `Content-Length: ${length}`, "", body].join("\r\n"));
}

async function exchange(
  connection: Deno.TcpConn,
  { request, expectedStatus }: Load,
  buffer: Uint8Array,
): Promise<void> {
  for (let written = 0; written < request.length;) {
    written += await connection.write(request.subarray(written));
  }
  let length = 0;
  let wanted = Infinity;
  while (length < wanted) {
    if (length === buffer.length) throw new Error("An answer is larger than expected");
    const read = await connection.read(buffer.subarray(length));
    if (read === null) throw new Error("The server closed a connection before it had answered");
    length += read;
    if (wanted === Infinity) wanted = lengthOf(buffer.subarray(0, length), expectedStatus);
  }
}

/** Bytes of the whole answer; infinite while its head is not complete. */
function lengthOf(bytes: Uint8Array, expectedStatus: number): number {
  const text = decoder.decode(bytes);
  const head = HEAD.exec(text);
  if (!head) return Infinity;
  if (Number(head[1]) !== expectedStatus) {
    throw new Error(`The server answered ${head[1]}, not ${expectedStatus}: ${text.slice(head[0].length)}`);
  }
  return head[0].length + Number(head[2]);
}
