import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { descendantsOf } from "../helpers/survivors.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage } from "../e2e/stage.ts";
import { expectAgentWorks } from "./agent-works.ts";
import { initLine, rawClaudePath, resultLine, say, scriptNext, textLine } from "./raw-claude.ts";

/** P cases of the fault list: what a CLI's process can do to us. Each turn has a process of its own. */

const mebibyte = 1_048_576;
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    HEADWAY_CLAUDE_PATH: rawClaudePath,
    HEADWAY_WARM_PROCESSES: "0",
    HEADWAY_KILL_GRACE_MS: "400",
  });
});
afterEach(() => stage.tidy());
afterAll(() => stage[Symbol.asyncDispose]());

test("P3: what a CLI said on stderr before it failed is the run's error, and not more than its end", async () => {
  const agent = await stage.agent();
  scriptNext(agent, [{ read: true }, { stderr: `${"noise ".repeat(5_000)}\nthe last words\n` }, { exit: 1 }]);

  const { status, body } = await agent.execute("fail");

  expect(status).toBe(502);
  expect(body).toMatchObject({ state: "failed", exitCode: 1, error: { code: "exit_nonzero" } });
  expect(body.error?.message).toContain("the last words");
  expect(body.error?.message.length).toBeLessThanOrEqual(8_192);
  await expectAgentWorks(agent);
});

test("P4: the signal that ended a CLI is told", async () => {
  const agent = await stage.agent();

  const { body } = await agent.execute("crash");

  // The first process of a PID namespace gets no signal from itself; abort ends that one.
  expect(body).toMatchObject({ state: "failed", error: { code: "signal" } });
  expect(["SIGSEGV", "SIGABRT"]).toContain(body.signal!);
  await expectAgentWorks(agent);
});

test("P6: a deaf CLI and its deaf children, without a trace of ours in their environment, die with a cancel", async () => {
  const agent = await stage.agent();
  const { marker } = stage.server;
  const stubborn = `trap '' TERM INT HUP; while :; do sleep 1; done`;
  const hidden = `env -i setsid /bin/sh -c "${stubborn}" ${marker}`;
  const run = await agent.begin(`tool=trap '' TERM INT; ${hidden} >/dev/null 2>&1 & ${stubborn}`);
  const hiddenOnes = () => stage.server.survivors().filter(({ argv }) => argv.at(-1) === marker);
  await waitFor(() => hiddenOnes().length > 0, { what: "the hidden child" });

  const reply = await stage.cancel(run.id);

  expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
  await waitFor(() => stage.server.survivors().length === 0, { deadlineMs: 2_000, what: "all to be dead" });
  await expectAgentWorks(agent);
});

test("P11: a CLI yields to the server and to people", async () => {
  const agent = await stage.agent();
  const run = await agent.begin("hold wait=60000");
  await stage.eventSeen(run.id, ({ type }) => type === "session");

  const niceness = descendantsOf(stage.server.pid).map(({ pid }) => nicenessOf(pid));
  await stage.cancel(run.id);

  expect(niceness.length).toBeGreaterThan(0);
  expect(niceness).toEqual(niceness.map(() => nicenessOf(stage.server.pid) + 10));
});

/** Field 19 of /proc/PID/stat, after the name in parentheses. */
function nicenessOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

test("P12: a CLI that ends well without having said a word has failed", async () => {
  const agent = await stage.agent();
  scriptNext(agent, [{ read: true }, { exit: 0 }]);

  const { body } = await agent.execute("say something");

  expect(body).toMatchObject({
    state: "failed",
    content: "",
    exitCode: 0,
    error: { code: "exit_before_output" },
  });
  await expectAgentWorks(agent);
});

test("P16: a prompt that the CLI doesn't read is no bug: its answer and its exit count", async () => {
  const [agent, other] = [await stage.agent(), await stage.agent()];
  const answer = say(initLine, textLine("I know"), resultLine("I know"));
  scriptNext(agent, [{ close: 0 }, answer, { waitMs: 200 }, { exit: 0 }]);
  scriptNext(other, [{ close: 0 }, { stderr: "no, thanks\n" }, { waitMs: 200 }, { exit: 2 }]);

  const answered = await agent.execute("x".repeat(mebibyte));
  const refused = await other.execute("x".repeat(mebibyte));

  expect(answered.body).toMatchObject({ state: "succeeded", content: "I know" });
  expect(refused.body).toMatchObject({ state: "failed", exitCode: 2, error: { code: "exit_nonzero" } });
  expect(stage.server.logLines().filter(({ msg }) => msg === "a bug ended the server")).toEqual([]);
  await expectAgentWorks(agent);
  await expectAgentWorks(other);
});

test("P2: a CLI's file that may not be executed is none, and the run says which file that is", async () => {
  await using other = await openStage();
  const agent = await other.agent();
  rmSync(other.cliPath);
  writeFileSync(other.cliPath, "#!/bin/sh\necho hello\n");
  chmodSync(other.cliPath, 0o644);

  const { body } = await agent.execute("hello");
  other.linkCli();

  expect(body).toMatchObject({ state: "failed", error: { code: "cli_not_found" } });
  expect(body.error?.message).toContain(other.cliPath);
  await expectAgentWorks(agent);
  await other.tidy();
});
