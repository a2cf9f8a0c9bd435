/** The least that a server on this runtime can be: the floor of start-up time and memory. */
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env["HEADWAY_PORT"]),
  fetch: () => new Response("ok\n"),
});
process.on("SIGTERM", () => process.exit(0));
