import { describe, expect, test } from "bun:test";
import { takesGzip } from "../../src/routes/document.ts";
import { startApp } from "../helpers/test-app.ts";

describe("a page", () => {
  test("is packed for who can unpack it, and the same page for who can't", async () => {
    await using app = await startApp();
    const look = (headers: Record<string, string>) =>
      app.fetch("/", { headers: { accept: "text/html", ...headers } });

    const packed = await look({ "accept-encoding": "br, gzip" });
    const plain = await look({});

    const bytes = new Uint8Array(await packed.arrayBuffer());
    const unpacked = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
    const text = await unpacked.text();
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(packed.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    expect(packed.headers.get("vary")).toBe("Accept-Encoding");
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(text).toBe(await plain.text());
    expect(bytes.length).toBeLessThan(text.length / 2);
  });

  test.each([
    [undefined, false],
    ["", false],
    ["br", false],
    ["gzip", true],
    ["deflate, GZIP;q=0.5, br", true],
    ["gzip;q=0", false],
    ["gzip; q=0.0, br", false],
    ["xgzip", false],
  ])("accept-encoding %j takes gzip: %p", (header, takes) => {
    expect(takesGzip(header)).toBe(takes);
  });
});
