import { describe, expect, test } from "bun:test";
import { createApp } from "../../src/app.ts";
import { parseConfig } from "../../src/config.ts";
import type { Run } from "../../src/domain/run.ts";
import { problemLine, readProblem } from "../helpers/problems.ts";
import { checkedRun } from "../helpers/run-checks.ts";
import { appOrigin, jsonInit, startApp } from "../helpers/test-app.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";

const execute = "/api/agents/anna/execute";

describe("a server that goes", () => {
  test("tells a client whose run waits that it will run after the restart, and runs it then", async () => {
    await using app = await startApp();
    await app.makeAgent();
    const running = await app.submit("anna", "forever");
    await app.waitForState(running.id, "running");
    const answer = app.fetch(execute, jsonInit("POST", { prompt: "after the restart" }));
    await waitFor(
      () => app.lines.some((line) => line.includes('"run.admitted"') && !line.includes(running.id)),
      {
        what: "the second run to be queued",
      },
    );

    await app.restart();
    const { code, runId } = await readProblem(await answer);

    expect(code).toBe("draining");
    expect((await app.waitForState(runId ?? "", "succeeded")).content).toContain("after the restart");
  });

  test("answers a client whose run it ends with the run, interrupted by the shutdown", async () => {
    await using app = await startApp();
    await app.makeAgent();
    const answer = app.fetch(execute, jsonInit("POST", { prompt: "slow=20 chatty=500" }));
    await waitFor(() => app.lines.some((line) => line.includes('"run.started"')), {
      what: "the run to start",
    });

    await app.restart();
    const response = await answer;
    const run = checkedRun(await response.json());

    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(run).toMatchObject({ state: "interrupted", contentFinal: false, error: { code: "shutdown" } });
    expect(checkedRun(await (await app.fetch(`/api/runs/${run.id}`)).json())).toEqual(run);
  });

  test("takes nothing new, isn't ready, and lets a running turn finish", async () => {
    await using app = await startApp({ env: { HEADWAY_DRAIN_MS: "10000" } });
    await app.makeAgent();
    const answer = app.fetch(execute, jsonInit("POST", { prompt: "wait=300 the last word" }));
    await waitFor(() => app.lines.some((line) => line.includes('"run.started"')), {
      what: "the run to start",
    });

    const restarted = app.restart();
    const refused = await app.fetch(execute, jsonInit("POST", { prompt: "too late" }));
    const ready = await app.send("/readyz");
    const alive = await app.send("/healthz");
    const response = await answer;
    await restarted;

    expect(await problemLine(refused)).toBe("503 draining");
    expect([ready.status, alive.status]).toEqual([503, 200]);
    expect(await ready.json()).toMatchObject({ status: "not_ready", reasons: ["draining"] });
    expect(((await response.json()) as Run).content).toContain("the last word");
    const { items } = (await (await app.fetch("/api/runs")).json()) as { items: Run[] };
    expect(items).toHaveLength(1);
  });

  test("answers a repeated key all the same, with the run that it stands for", async () => {
    await using app = await startApp({ env: { HEADWAY_DRAIN_MS: "10000" } });
    await app.makeAgent();
    const before = jsonInit("POST", { prompt: "hello" }, { "idempotency-key": "before" });
    const during = jsonInit("POST", { prompt: "wait=300 bye" }, { "idempotency-key": "during" });
    const first = checkedRun(await (await app.fetch(execute, before)).json());
    const answer = app.fetch(execute, during);
    await waitFor(() => app.lines.filter((line) => line.includes('"run.started"')).length === 2, {
      what: "the second run to start",
    });

    const restarted = app.restart();
    const over = await app.fetch(execute, before);
    const other = await app.fetch(
      execute,
      jsonInit("POST", { prompt: "hello" }, { "idempotency-key": "new" }),
    );
    const running = await app.fetch(execute, during);
    await restarted;

    expect([over.status, running.status]).toEqual([200, 200]);
    expect([over, running].map(({ headers }) => headers.get("idempotent-replay"))).toEqual(["true", "true"]);
    expect(checkedRun(await over.json())).toEqual(first);
    expect(await running.json()).toEqual(await (await answer).json());
    expect(await problemLine(other)).toBe("503 draining");
  });
});

describe("a server that comes", () => {
  test("answers 503 as a problem until it has its store", async () => {
    using folder = makeTempFolder();
    const parsed = parseConfig({ HEADWAY_DATA_DIR: folder.path });
    if (parsed.kind === "bad") throw new Error(parsed.message);
    const app = createApp(parsed.config, { writeLine: () => {} });

    const response = await app.fetch(new Request(`${appOrigin}/api/agents`));

    expect((await readProblem(response)).detail).toBe("The server is starting.");
  });

  test("is ready and says how it contains what it runs", async () => {
    await using app = await startApp();

    const ready = await app.send("/readyz");
    const alive = await app.send("/healthz");

    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: "ready",
      reasons: [],
      containment: expect.stringMatching(/^(full|degraded)$/) as unknown as string,
    });
    expect(await alive.json()).toMatchObject({ status: "ok" });
  });
});

describe("a client that waits", () => {
  test("isn't cut by the idle time-out of its connection", async () => {
    await using app = await startApp();
    await app.makeAgent();
    const quiet: number[] = [];
    const headers = { authorization: `Bearer ${app.token}` };
    const init = jsonInit("POST", { prompt: "hello" }, headers);

    await app.send(execute, init, { quietSeconds: (seconds) => void quiet.push(seconds) });

    expect(quiet).toEqual([0]);
  });
});
