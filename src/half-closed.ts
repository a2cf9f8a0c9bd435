import { readFile } from "node:fs/promises";

/** The kernel's number for CLOSE_WAIT: the other end has closed its side, ours is still open. */
const closeWait = "08";

/**
 * Finds the peers that have closed their side of a connection to our port. Bun tells of a connection that
 * is gone, but not of one that is half closed, and a stream to nobody would be kept for ever.
 */
export function createHalfClosedFinder(port: () => number): (() => Promise<ReadonlySet<string>>) | null {
  if (process.platform !== "linux") return null;
  return async () => {
    const tables = await Promise.all([readTable("/proc/net/tcp"), readTable("/proc/net/tcp6")]);
    return new Set(tables.flatMap((table) => parseHalfClosed(table, port())));
  };
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // A kernel without IPv6 has no second table.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/**
 * Peers as "address:port", from the text of /proc/net/tcp or /proc/net/tcp6. One search over the whole
 * text: a busy machine has ten thousand lines, and next to none of them are of interest.
 */
export function parseHalfClosed(table: string, port: number): string[] {
  const localPort = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = table.matchAll(
    new RegExp(`: [0-9A-F]+:${localPort} ([0-9A-F]+:[0-9A-F]+) ${closeWait} `, "g"),
  );
  return [...lines].map(([, remote = ""]) => peerOf(remote));
}

function peerOf(hex: string): string {
  const [address = "", port = ""] = hex.split(":");
  return `${addressOf(address)}:${Number.parseInt(port, 16)}`;
}

/** The kernel prints 32-bit words in the machine's order, which is little-endian wherever we run. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const isMapped = hex.startsWith("0000000000000000FFFF0000");
  if (isMapped)
    return bytes
      .slice(12)
      .map((byte) => Number.parseInt(byte, 16))
      .join(".");
  return canonicalIpv6(bytes);
}

function canonicalIpv6(bytes: string[]): string {
  const groups: string[] = [];
  for (let at = 0; at < bytes.length; at += 2) groups.push(`${bytes[at]}${bytes[at + 1]}`);
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
