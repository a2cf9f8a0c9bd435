import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { RunEvent } from "../../src/domain/event.ts";
import { waitFor } from "../helpers/wait.ts";
import { claudeIsInstalled, startClaudeServer } from "./claude-server.ts";

setDefaultTimeout(60_000);

const slowAnswer = "delay=100 a b c d e f g h i j k l m n o p q r s t u v w x y z";
const waysToCarry = [
  { name: "warm", env: { HEADWAY_WARM_PROCESSES: "4" } },
  { name: "one process per turn", env: { HEADWAY_WARM_PROCESSES: "0" } },
];

/** Tools that leave something behind: in their own session, deaf to polite signals, in the background. */
const stubbornTools = [
  "tail -f /dev/null",
  "setsid tail -f /dev/null & tail -f /dev/null",
  `sh -c 'trap "" TERM INT HUP; while :; do tail -f /dev/null; done'`,
];

const spoke = ({ type }: RunEvent) => type === "text";

describe.skipIf(!claudeIsInstalled())("the real Claude Code in trouble", () => {
  test("is cancelled in mid-stream, keeps what it said, and goes on with the same process", async () => {
    await using claude = await startClaudeServer();
    const run = await claude.begin(slowAnswer);
    await claude.readUntil(run.id, spoke);
    const [process] = claude.processesNamed("claude");

    const reply = await claude.cancel(run.id);
    const cancelled = await claude.getRun(run.id);
    const next = await claude.execute("recall");

    expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect(cancelled).toMatchObject({ state: "cancelled", contentFinal: false, error: null });
    expect(cancelled.content).toStartWith("You");
    expect(next.body).toMatchObject({ state: "succeeded", transport: { warm: true } });
    expect(next.body.content).toContain(slowAnswer);
    expect(claude.processesNamed("claude").map(({ pid }) => pid)).toEqual([process?.pid ?? 0]);
  });

  for (const { name, env } of waysToCarry) {
    test.each(stubbornTools)(
      `cancelled in a tool (${name}), leaves no process of it: %s`,
      async (command) => {
        await using claude = await startClaudeServer({ env, allow: ["Bash"] });
        const run = await claude.begin(`use tool \`${command}\``);
        await claude.readUntil(run.id, ({ type }) => type === "tool.started");
        await waitFor(() => claude.processesNamed("tail").length > 0, { what: "the tool's process" });

        const reply = await claude.cancel(run.id);
        const left = claude.processesNamed("tail").length;
        const next = await claude.execute("recall");

        expect(reply).toMatchObject({ state: "cancelled", survivors: 0 });
        expect(left).toBe(0);
        expect(next.body).toMatchObject({ state: "succeeded" });
        expect(next.body.content).toContain("use tool");
      },
    );

    test(`a tool's processes that outlive it are gone when the turn has ended (${name})`, async () => {
      await using claude = await startClaudeServer({ env, allow: ["Bash"] });

      const { body: run } = await claude.execute(
        "use tool `setsid tail -f /dev/null >/dev/null 2>&1 & echo on`",
      );
      const left = claude.processesNamed("tail").length;
      const next = await claude.execute("recall");

      expect(run).toMatchObject({ state: "succeeded", content: "Tool said: on", survivors: 0 });
      expect(left).toBe(0);
      expect(next.body.state).toBe("succeeded");
    });
  }

  test("asks the model nothing between the turns, even when a tool was to run in the background", async () => {
    await using claude = await startClaudeServer({ allow: ["Bash"] });

    const { body: run } = await claude.execute("background tool `tail -f /dev/null`");
    const asked = claude.api.requests.length;
    const left = claude.processesNamed("tail").length;
    const next = await claude.execute("and now");

    expect(run.state).toBe("succeeded");
    expect(left).toBe(0);
    expect(next.body).toMatchObject({ state: "succeeded", content: "You said: and now" });
    expect(claude.api.requests.length).toBe(asked + 1);
  });

  test("has its API errors told by our codes, its retries as notices, and lives on", async () => {
    const codes = { 401: "auth_required", 429: "rate_limited", 500: "overloaded", 529: "overloaded" };
    await using claude = await startClaudeServer({ env: { HEADWAY_BREAKER_FAILURES: "0" } });
    const statuses = Object.keys(codes);
    for (const status of statuses) await claude.createAgent({ id: `agent-${status}` });

    const failed = await Promise.all(
      statuses.map((status) => claude.execute(`error ${status}`, `agent-${status}`)),
    );
    const events = await Promise.all(failed.map(({ body }) => claude.listEvents(body.id)));
    const next = await Promise.all(statuses.map((status) => claude.execute("better?", `agent-${status}`)));

    expect(failed.map(({ status }) => status)).toEqual([502, 502, 502, 502]);
    expect(failed.map(({ body }) => body.error?.code)).toEqual(Object.values(codes));
    for (const list of events) {
      expect(list).toContainEqual(expect.objectContaining({ type: "notice", code: "api_retry" }));
    }
    expect(next.map(({ body }) => [body.state, body.content])).toEqual(
      statuses.map(() => ["succeeded", "You said: better?"]),
    );
  });

  test("fails at once, and says why, when a request is refused for good", async () => {
    await using claude = await startClaudeServer();

    const refused = await claude.execute("error 400");

    expect(refused).toMatchObject({ status: 502, body: { state: "failed", error: { code: "cli_error" } } });
    expect(refused.body.error?.message).toContain("Bad request (fake)");
  });

  for (const { name, env } of waysToCarry) {
    test(`its session outlives a kill -9 of the server in mid-run (${name})`, async () => {
      await using claude = await startClaudeServer({ env });
      const run = await claude.begin(slowAnswer);
      await claude.readUntil(run.id, spoke);

      await claude.server.kill();
      await waitFor(() => claude.server.survivors().length === 0, { what: "the CLI dying with its server" });
      await claude.server.restart();
      const interrupted = await claude.getRun(run.id);
      const next = await claude.execute("recall");

      expect(interrupted).toMatchObject({
        state: "interrupted",
        contentFinal: false,
        error: { code: "server_restart" },
      });
      expect(interrupted.content).toStartWith("You");
      expect(next.body).toMatchObject({ state: "succeeded", cliSessionId: interrupted.cliSessionId });
      expect(next.body.content).toContain(slowAnswer);
    });
  }

  test("is resumed after its warm process was killed between two turns", async () => {
    await using claude = await startClaudeServer();
    const first = await claude.execute("my name is Ada");
    for (const { pid } of claude.processesNamed("claude")) process.kill(pid, "SIGKILL");

    const second = await claude.execute("recall");

    expect(second.body).toMatchObject({
      state: "succeeded",
      content: "Earlier you said: my name is Ada",
      transport: { warm: false },
      cliSessionId: first.body.cliSessionId,
    });
  });
});
