import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { systemClock } from "../../src/domain/clock.ts";
import type { Fact } from "../../src/domain/facts.ts";
import { createLog, type LogLevel } from "../../src/telemetry/log.ts";
import { createRedactor } from "../../src/runner/policies/redaction.ts";
import { startServer } from "../helpers/server-process.ts";
import { jsonInit, startApp } from "../helpers/test-app.ts";

function logTo(lines: string[], level: LogLevel = "debug", redact = (text: string) => text) {
  return createLog({ level, clock: systemClock, redact, writeLine: (line) => void lines.push(line) });
}

const forged =
  '"}\n{"time":"2026-01-01T00:00:00.000Z","level":"error","msg":"forged"}\r\n\u2028\u2029\u0085\u001b[2J';

describe("a log line", () => {
  test("is one line of JSON with time, level and message, whatever is in it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (text, fields) => {
          const lines: string[] = [];

          logTo(lines).write("info", text, { ...fields, text });

          const parsed = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
          return lines.length === 1 && !/[\n\r]/.test(lines[0]!) && parsed["text"] === text;
        },
      ),
    );
  });

  test("can't be forged by what users call things", () => {
    const lines: string[] = [];

    logTo(lines).fact({ type: "run.refused", agentId: forged, code: forged });

    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ msg: "run.refused", level: "warn", agentId: forged });
    expect(lines[0]).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  });

  test("below the least level isn't written", () => {
    const lines: string[] = [];
    const log = logTo(lines, "warn");

    for (const level of ["debug", "info", "warn", "error"] as const) log.write(level, level);

    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(["warn", "error"]);
  });

  test("is JSON still when a secret is made of digits or of quotes, and shows no key of whatever kind", () => {
    const lines: string[] = [];
    const redactor = createRedactor({
      PIN_TOKEN: "123456",
      ODD_SECRET: '","level":"',
      DB_PASSWORD: "hunter22",
    });
    const log = logTo(lines, "debug", redactor.log);
    const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq";

    log.write("info", `password hunter22 ${key}`, {
      count: 123456,
      url: "https://anna:s3cret@x.test/",
      error: `a","level":"b sk-${"a1".repeat(10)}`,
      nested: { header: "Authorization: Bearer abcdefghijklmnopqrstuvwxyz" },
    });

    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: "info",
      msg: "password [redacted:DB_PASSWORD] [redacted]",
      count: null,
      url: "https://anna:[redacted]@x.test/",
      error: "a[redacted:ODD_SECRET]b [redacted]",
      nested: { header: "Authorization: Bearer [redacted]" },
    });
  });

  test("is redacted last", () => {
    const lines: string[] = [];
    const log = logTo(lines, "debug", (text) => text.replaceAll("hunter2", "[redacted]"));

    log.fact({ type: "store.failed", code: "x", message: "the password is hunter2" } satisfies Fact);

    expect(lines[0]).toContain("[redacted]");
    expect(lines[0]).not.toContain("hunter2");
  });
});

describe("the log of a server", () => {
  test("has a line per fact, all of them JSON, and none that a user wrote", async () => {
    await using app = await startApp();
    await app.makeAgent({ id: "anna", systemPrompt: forged, metadata: { [forged.slice(0, 100)]: forged } });

    await app.run("anna", forged);
    await app.run("anna", `is-error=${forged}`);
    await app.fetch(`/api/agents/${encodeURIComponent(forged)}/execute`, jsonInit("POST", { prompt: "x" }));
    await app.fetch("/healthz", { headers: { "x-request-id": '"}{' } });

    const parsed = app.lines.map((line) => JSON.parse(line) as { msg: string; level: string; time: string });
    expect(parsed.map(({ msg }) => msg)).not.toContain("forged");
    expect(
      parsed.every(({ level, time }) => /^(debug|info|warn|error)$/.test(level) && time.endsWith("Z")),
    ).toBe(true);
    expect(app.lines.filter((line) => /[\p{Cc}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
    const messages = parsed.map(({ msg }) => msg);
    for (const wanted of ["server.started", "agent.created", "run.settled", "run.refused"])
      expect(messages).toContain(wanted);
  });

  test("says once where it listens and where its data is, all on lines of JSON", async () => {
    await using server = await startServer({ env: { HEADWAY_LOG_LEVEL: "debug" } });
    await server.fetch("/api/agents");

    const listening = server.logLines().filter((line) => line["msg"] === "listening");

    expect(listening).toHaveLength(1);
    expect(listening[0]).toMatchObject({ url: `http://127.0.0.1:${server.port}`, dataDir: server.dataDir });
    expect(server.stderr()).toContain("/login?nonce=");
    expect(JSON.stringify(server.logLines())).not.toContain("nonce=");
  });
});
