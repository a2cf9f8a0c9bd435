import { expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createHalfClosedFinder, parseHalfClosed } from "../src/half-closed.ts";
import { waitFor } from "./helpers/wait.ts";

const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid";

test("peers in CLOSE_WAIT on our port are found, in IPv4, mapped and IPv6 form", () => {
  const table = [
    header,
    "   0: 0100007F:10AE 0100007F:C350 08 00000000:00000000 00:00000000 00000000     0",
    "   1: 0100007F:10AE 0100007F:C351 01 00000000:00000000 00:00000000 00000000     0",
    "   2: 0100007F:1F90 0100007F:C352 08 00000000:00000000 00:00000000 00000000     0",
    "   3: 0000000000000000FFFF00000100007F:10AE 0000000000000000FFFF00000100007F:C353 08 0:0 0",
    "   4: 00000000000000000000000001000000:10AE 00000000000000000000000001000000:C354 08 0:0 0",
  ].join("\n");

  expect(parseHalfClosed(table, 4270)).toEqual(["127.0.0.1:50000", "127.0.0.1:50003", "::1:50004"]);
});

test("a client that really closes its side is found", async () => {
  const accepted: Socket[] = [];
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void accepted.push(socket.resume()),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const find = createHalfClosedFinder(() => port);
  const client = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  await once(client, "connect");

  client.end();
  const peer = `127.0.0.1:${client.localPort}`;
  const isFound = async () => (await find?.())?.has(peer) ?? true;
  await waitFor(isFound, { deadlineMs: 4_000, what: "the half-closed peer" });
  for (const socket of [client, ...accepted]) socket.destroy();
  server.close();
  await once(server, "close");

  expect(accepted).toHaveLength(1);
});
