/**
 * The least that an HTTP server in Deno can do: reads the body and answers as many bytes as Daybook does for a new job.
 *
 * @module
 */
const ANSWER = JSON.stringify({ answer: "x".repeat(700) });

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, async (request) => {
  await request.bytes();
  return new Response(ANSWER, { status: 201, headers: { "Content-Type": "application/json" } });
});
