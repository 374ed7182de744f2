import { assertEquals, assertStringIncludes } from "@std/assert";
import { ADMIN, JOBS, testApp } from "./support/test_app.ts";

/** The app behind a real port, and a way to wait for what happens at its far end. */
function serve() {
  const stopping = new AbortController();
  const { app, jobs } = testApp({ stopping: stopping.signal });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.addr.port}${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${ADMIN}`, ...init.headers },
    });
  const until = async (condition: () => boolean) => {
    const deadline = Date.now() + 10_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error("It did not happen within 10 s");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return { server, jobs, stopping, request, until };
}

Deno.test("a caller that goes away ends its event stream and its waiting at once", async () => {
  const { server, jobs, request, until } = serve();
  const { id } = jobs.add();
  const leaving = new AbortController();
  const { signal } = leaving;
  const stream = await request(`${JOBS}/${id}/events`, { signal, headers: { Accept: "text/event-stream" } });
  const reader = stream.body!.getReader();
  assertStringIncludes(new TextDecoder().decode((await reader.read()).value), "follows after version 0");
  const waiting = request(`${JOBS}/${id}?wait=60`, { signal }).catch(() => "left");
  await until(() => jobs.open === 2);
  leaving.abort();
  assertEquals(await waiting, "left");
  await reader.read().catch(() => {});
  await until(() => jobs.open === 0);
  await server.shutdown();
});

Deno.test("when the server stops, those who follow or wait let it go down", async () => {
  const { server, jobs, stopping, request, until } = serve();
  const { id } = jobs.add();
  const stream = await request(`${JOBS}/${id}/events`, { headers: { Accept: "text/event-stream" } });
  const text = stream.text();
  const waiting = request(`${JOBS}/${id}?wait=60`).then((response) => response.json());
  await until(() => jobs.open === 2);
  stopping.abort();
  await server.shutdown();
  assertEquals((await waiting).status, "queued");
  assertStringIncludes(await text, "id: 1\n");
});

Deno.test("a body that is announced too large is refused before it is sent", async () => {
  const { server } = serve();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await connection.write(new TextEncoder().encode(
    `POST ${JOBS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN}\r\n` +
      "Content-Type: application/json\r\nContent-Length: 131073\r\n\r\n{",
  ));
  const buffer = new Uint8Array(1000);
  const length = await connection.read(buffer);
  assertStringIncludes(new TextDecoder().decode(buffer.subarray(0, length ?? 0)), "HTTP/1.1 413 ");
  connection.closeWrite().catch(() => {});
  await server.shutdown();
});
