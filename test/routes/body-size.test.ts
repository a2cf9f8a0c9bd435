import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";

const mebibyte = 1_048_576;
const chunkBytes = 65_536;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Sent {
  answer: string;
  /** Whether the connection was reset before the answer was whole. */
  failed: boolean;
  sentBytes: number;
}

/** Sends a body of that size as plainly as can be: all of it, and only then reads on. */
async function send(
  bodyBytes: number,
  headers: string[],
  frame: (size: number) => Uint8Array,
): Promise<Sent> {
  const sent: Sent = { answer: "", failed: false, sentBytes: 0 };
  let closed = false;
  let drained = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: {
      data: (_, bytes) => void (sent.answer += new TextDecoder().decode(bytes)),
      drain: () => drained.resolve(),
      close() {
        closed = true;
        drained.resolve();
      },
      error() {
        sent.failed = true;
        drained.resolve();
      },
    },
  });
  const write = async (bytes: Uint8Array) => {
    for (let from = 0; from < bytes.length && !closed;) {
      drained = Promise.withResolvers<void>();
      const written = socket.write(bytes.subarray(from));
      from += Math.max(0, written);
      if (from < bytes.length) await drained.promise;
    }
  };
  const head = [
    "POST /api/agents HTTP/1.1",
    `Host: 127.0.0.1:${server.port}`,
    `Authorization: Bearer ${server.token}`,
    "Content-Type: application/json",
    ...headers,
  ];
  await write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  for (; sent.sentBytes < bodyBytes && !closed; sent.sentBytes += chunkBytes)
    await write(frame(Math.min(chunkBytes, bodyBytes - sent.sentBytes)));
  if (headers.some((header) => header.includes("chunked")))
    await write(new TextEncoder().encode("0\r\n\r\n"));
  await waitFor(() => closed || sent.answer.includes("\r\n\r\n"), { what: "an answer or the end" });
  socket.terminate();
  return sent;
}

const plain = (size: number) => new Uint8Array(size).fill(0x20);
const chunked = (size: number) =>
  new Uint8Array(Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), plain(size), Buffer.from("\r\n")]));
const statusOf = ({ answer }: Sent) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

describe("a body", () => {
  test("of 8 MiB is read", async () => {
    const sent = await send(8 * mebibyte, [`Content-Length: ${8 * mebibyte}`], plain);

    expect(statusOf(sent)).toBe(400);
    expect(sent.answer).toContain('"malformed"');
  });

  for (const [what, bytes] of [
    ["of 8 MiB and a byte", 8 * mebibyte + 1],
    ["of 20 MiB", 20 * mebibyte],
  ] as [string, number][]) {
    test(`${what} that tells its length is answered with 413`, async () => {
      const sent = await send(bytes, [`Content-Length: ${bytes}`], plain);

      expect(statusOf(sent)).toBe(413);
      expect(sent.answer).toContain('"payload_too_large"');
      expect(sent.answer.toLowerCase()).toContain("x-request-id: ");
    });

    test(`${what} in chunks is answered with 413`, async () => {
      const sent = await send(bytes, ["Transfer-Encoding: chunked"], chunked);

      expect(statusOf(sent)).toBe(413);
      expect(sent.answer).toContain('"payload_too_large"');
    });

    test(`${what} sent by fetch is answered with 413, not cut off`, async () => {
      const response = await server.fetch("/api/agents", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: plain(bytes),
      });

      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: "payload_too_large" });
    });
  }

  test("of 100 MiB is refused, and the server lives on", async () => {
    const bytes = 100 * mebibyte;

    const sent = await send(bytes, [`Content-Length: ${bytes}`, "Connection: close"], plain);
    const next = await server.fetch("/healthz");

    expect(sent.answer === "" || statusOf(sent) === 413).toBe(true);
    expect(next.status).toBe(200);
  });

  test("that is too large is refused for a stranger before it is read", async () => {
    const bytes = 20 * mebibyte;

    const response = await fetch(`${server.url}/api/agents`, { method: "POST", body: plain(bytes) });

    expect(response.status).toBe(401);
  });

  test("that is too large isn't taken for a bug of ours", () => {
    const failures = server.logLines().filter((line) => line["msg"] === "request.failed");

    expect(failures).toEqual([]);
  });
});
