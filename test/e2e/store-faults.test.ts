import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { requestJson } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import {
  allowedOutcomes,
  becomesReady,
  canMount,
  executeWithSpaces,
  isReady,
  openSmallDiskStage,
  type SmallDiskStage,
} from "./small-disk.ts";
import { openStage, startedPrompts } from "./stage.ts";

/** About what one commit needs; the disk is left with multiples of it. */
const commitBytes = 12_288;

describe.skipIf(!canMount)("a disk that is full", () => {
  let small: SmallDiskStage;

  beforeAll(async () => {
    small = await openSmallDiskStage();
  });
  afterEach(() => small.recover());
  afterAll(() => small[Symbol.asyncDispose]());

  test("before the answer it is a 503 that leaves no trace, and the same request succeeds later", async () => {
    const { stage, fill, free } = small;
    const agent = await stage.agent();
    await agent.ask("hello");

    await fill(0);
    const refused = await agent.execute("while full", { key: "k" });
    const cancel = await requestJson(stage.server.fetch, "POST", `/api/agents/${agent.id}/end-session`);
    const ready = await requestJson(stage.server.fetch, "GET", "/readyz");
    const health = await requestJson(stage.server.fetch, "GET", "/healthz");
    const prompts = startedPrompts(stage.fakeLog());
    free();
    await becomesReady(stage);
    const accepted = await agent.execute("while full", { key: "k" });

    expect([refused.status, refused.body]).toEqual([
      503,
      expect.objectContaining({ code: "store_unavailable" }),
    ]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(cancel).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
    expect(ready).toMatchObject({ status: 503 });
    expect(health.status).toBe(200);
    expect(prompts).not.toContain("while full");
    expect(accepted.body).toMatchObject({ state: "succeeded", content: "You said: while full" });
    expect(accepted.headers.get("idempotent-replay")).toBeNull();
  });

  test("in the middle of a turn it ends the turn, which is told once the disk takes writes again", async () => {
    const { stage, fill, free } = small;
    const agent = await stage.agent();
    const { id } = await agent.begin("chatty=2000 slow=5");
    await stage.eventSeen(id, ({ type }) => type === "text");

    await fill(0);
    const isOver = async () => (await stage.getRun(id)).endedAt !== null;
    await waitFor(async () => !(await isReady(stage)) || (await isOver()), { what: "the store to fail" });
    free();
    const settled = await stage.settled(id);

    expect(settled).toMatchObject({ state: "failed", error: { code: "store_error" }, contentFinal: false });
    expect(settled.content).toStartWith("w1 w2");
    await becomesReady(stage);
    expect(await agent.ask("hello again")).toBe("You said: hello again");
  });

  test("at whichever write it fills up, a run ends or never was, and the server goes on", async () => {
    const spaces = Array.from({ length: 6 }, (_, at) => at * commitBytes);

    const outcomes = await executeWithSpaces(small, spaces);

    expect(outcomes.filter((outcome) => !allowedOutcomes.includes(outcome))).toEqual([]);
    expect(outcomes).toContain("503 store_unavailable");
    expect(await (await small.stage.agent()).ask("hello again")).toBe("You said: hello again");
  });
});

test("S7: a database that was moved away is noticed, and nothing is acknowledged that would be lost", async () => {
  await using stage = await openStage();
  const agent = await stage.agent();
  await agent.ask("hello");
  const path = join(stage.server.dataDir, "headway.db");

  renameSync(path, `${path}.away`);
  const refused = await agent.execute("into nowhere");
  const ready = await requestJson(stage.server.fetch, "GET", "/readyz");
  renameSync(`${path}.away`, path);
  await becomesReady(stage);

  expect([refused.status, refused.body]).toEqual([
    503,
    expect.objectContaining({ code: "store_unavailable" }),
  ]);
  expect(ready.status).toBe(503);
  expect(startedPrompts(stage.fakeLog())).not.toContain("into nowhere");
  expect(await agent.ask("hello again")).toBe("You said: hello again");
});

test("S3: another program's lock is waited for a while, and then told; it holds up no reader", async () => {
  await using stage = await openStage();
  const agent = await stage.agent();
  await agent.ask("hello");
  using other = new Database(join(stage.server.dataDir, "headway.db"));

  other.run("begin immediate");
  const refused = await agent.execute("while locked");
  const health = await requestJson(stage.server.fetch, "GET", `/api/agents/${agent.id}`);
  const waiting = agent.execute("just after");
  await requestJson(stage.server.fetch, "GET", "/healthz");
  other.run("rollback");
  const accepted = await waiting;

  expect([refused.status, refused.body]).toEqual([
    503,
    expect.objectContaining({ code: "store_unavailable" }),
  ]);
  expect(health.status).toBe(200);
  expect(accepted.body).toMatchObject({ state: "succeeded", content: "You said: just after" });
  expect(startedPrompts(stage.fakeLog())).toEqual(["hello", "just after"]);
});
