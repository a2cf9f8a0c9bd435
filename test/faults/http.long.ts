import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { openStage } from "../e2e/stage.ts";
import { streamsOpen } from "../e2e/raw-streams.ts";
import { waitFor } from "../helpers/wait.ts";
import { expectAgentWorks } from "./agent-works.ts";

test("H10: of 2,050 streams 2,000 are served, the others told to come later, and the server lives on", async () => {
  await using stage = await openStage();
  const agent = await stage.agent();
  const run = await agent.begin("forever");
  await stage.eventSeen(run.id, ({ type }) => type === "session");
  const { port, token } = stage.server;
  const request =
    `GET /api/runs/${run.id}/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
    `Authorization: Bearer ${token}\r\nAccept: text/event-stream\r\n\r\n`;

  const opened: { socket: Socket; status: string }[] = [];
  for (let from = 0; from < 2_050; from += 50)
    opened.push(...(await Promise.all(Array.from({ length: 50 }, () => openStream(port, request)))));
  const open = await streamsOpen(stage);
  const alive = await stage.server.fetch("/healthz");
  for (const { socket } of opened) socket.destroy();
  await waitFor(async () => (await streamsOpen(stage)) === 0, { what: "all streams to be over" });
  await stage.cancel(run.id);

  expect(open).toBe(2_000);
  expect(alive.status).toBe(200);
  expect(opened.map(({ status }) => status).filter((status) => status === "429")).toHaveLength(50);
  expect(opened.map(({ status }) => status).filter((status) => status === "200")).toHaveLength(2_000);
  await expectAgentWorks(agent);
  await stage.tidy();
}, 120_000);

function openStream(port: number, request: string): Promise<{ socket: Socket; status: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", reject);
    socket.write(request);
    socket.once("data", (bytes: Buffer) => {
      socket.removeAllListeners("error").on("error", () => socket.destroy());
      resolve({ socket, status: /^HTTP\/1\.1 (\d{3})/.exec(bytes.toString("latin1"))?.[1] ?? "" });
    });
  });
}
