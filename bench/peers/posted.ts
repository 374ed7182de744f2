/**
 * Jobs posted one by one to a server in a process of its own, where they wait.
 *
 * @module
 */
import { load, requestBytes } from "../http_load.ts";
import type { Finding } from "./assignment.ts";
import type { Task } from "./contender.ts";
import { TOKEN } from "./http_front.ts";
import { PAYLOAD, POSTING_CONNECTIONS } from "./work.ts";

/** Where jobs are posted to. */
export interface PostOffice {
  readonly port: number;
  /** A whole request, answered by 201. */
  readonly request: Uint8Array;
  /** Jobs that wait, as the system's own store counts them. */
  waiting(): Promise<number>;
}

/** What {@linkcode post} finds at a server that `serveJobs` of `http_front.ts` has started. */
export function frontAt(port: number): PostOffice {
  const authorization = `Bearer ${TOKEN}`;
  const head = [
    "POST / HTTP/1.1",
    "Host: 127.0.0.1",
    `Authorization: ${authorization}`,
    "Content-Type: application/json",
  ];
  return {
    port,
    request: requestBytes(head, JSON.stringify({ job_type: "noop", payload: PAYLOAD })),
    waiting: async () => {
      const headers = { Authorization: authorization };
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
      if (!response.ok) throw new Error(`The counts could not be had: ${await response.text()}`);
      return (await response.json()).waiting;
    },
  };
}

/** Warms up with as many jobs as it measures: V8 has compiled what a request runs through only after thousands. */
export async function post(office: PostOffice, { jobs }: Task): Promise<Finding> {
  await under(office, jobs);
  const before = await office.waiting();
  const { perSecond } = await under(office, jobs);
  return { asked: jobs, done: await office.waiting() - before, per_second: perSecond };
}

function under({ port, request }: PostOffice, requests: number) {
  return load({ port, request, connections: POSTING_CONNECTIONS, requests, expectedStatus: 201 });
}
