/**
 * A job system behind `node:http`, as an application would put it there: a token is asked for, a job is checked.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JobSystem } from "./work.ts";

export const TOKEN = "token-of-the-front";
const AUTHORIZATION = Buffer.from(`Bearer ${TOKEN}`);

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Serves on a free loopback port: `POST` takes a job, `{job_type, payload}`, and answers 201 when it is acknowledged;
 * `GET` answers the system's counts.
 */
export async function serveJobs(system: JobSystem): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    answer(system, request)
      .catch((error): Answer => ({ status: 500, body: { error: String(error) } }))
      .then(({ status, body }) => {
        const text = JSON.stringify(body);
        response.writeHead(status, {
          "Content-Type": "application/json",
          "Content-Length": Buffer.byteLength(text),
        });
        response.end(text);
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function answer(system: JobSystem, request: IncomingMessage): Promise<Answer> {
  if (!isAuthorized(request)) return { status: 401, body: { error: "Send the token" } };
  if (request.method === "GET") return { status: 200, body: await system.counts() };
  if (request.method !== "POST") return { status: 405, body: { error: "Post a job, or get the counts" } };
  const job = parse(await text(request));
  if (typeof job?.job_type !== "string" || !isObject(job.payload)) {
    return {
      status: 422,
      body: { error: "Send a JSON object with a job_type and an object as its payload" },
    };
  }
  const id = await system.add(job.payload);
  return { status: 201, body: { id, job_type: job.job_type, payload: job.payload, status: "queued" } };
}

function isAuthorized({ headers }: IncomingMessage): boolean {
  const sent = Buffer.from(headers.authorization ?? "");
  return sent.length === AUTHORIZATION.length && timingSafeEqual(sent, AUTHORIZATION);
}

function text(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part) => body += part);
    request.on("end", () => resolve(body));
    request.on("error", reject);
  });
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(body: string): { job_type?: unknown; payload?: unknown } | null {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
