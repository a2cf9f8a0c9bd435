import { connect, type Socket } from "node:net";
import type { Stage } from "./stage.ts";

export interface RawStreams {
  readonly sockets: readonly Socket[];
  /** Closes our side of these and reads no more: the connection is half closed. */
  halfClose(from: number, to: number): void;
  end(): void;
}

/** Opens event streams of a run over sockets of our own, which may be left unread. */
export async function openStreamsOf(
  { server }: Pick<Stage, "server">,
  runId: string,
  count: number,
  { reads }: { reads: boolean },
): Promise<RawStreams> {
  const request =
    `GET /api/runs/${runId}/events HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
    `Authorization: Bearer ${server.token}\r\nAccept: text/event-stream\r\n\r\n`;
  const sockets = await Promise.all(
    Array.from({ length: count }, () => openSocket(server.port, request, reads)),
  );
  return {
    sockets,
    halfClose(from, to) {
      for (const socket of sockets.slice(from, to)) socket.end();
    },
    end() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Resolves once the head of the answer is there. */
function openSocket(port: number, request: string, reads: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.once("error", reject);
    socket.write(request);
    socket.once("data", () => {
      socket.removeAllListeners("error");
      // A server that cuts a slow reader resets it, which is what we wait to see.
      socket.on("error", () => socket.destroy());
      if (reads) socket.resume();
      else socket.pause();
      resolve(socket);
    });
  });
}

/** What the server itself says, in its metrics. */
export async function streamsOpen({ server }: Pick<Stage, "server">): Promise<number> {
  return readMetric(await (await server.fetch("/metrics")).text(), "headway_streams_open");
}

export function readMetric(text: string, name: string): number {
  const found = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  if (found === undefined) throw new Error(`There is no ${name} among the metrics.`);
  return Number(found);
}
