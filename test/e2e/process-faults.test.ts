import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import type { Run } from "../../src/domain/run.ts";
import { descendantsOf } from "../helpers/survivors.ts";
import { membersOf, openStage, type Stage, type StageAgent } from "./stage.ts";

/** The test stops the process that carries this prompt, as a person's ^Z would. */
const stopMe = "slow=1000 one two three four five six seven eight nine ten";

/** P rows of the fault list: what a CLI's process can do to us, and what comes of it. */

type Expected = Partial<Omit<Run, "error">> & { state: Run["state"]; error?: unknown };

const code = (errorCode: string) => expect.objectContaining({ code: errorCode });
const failed = (errorCode: string): Expected => ({ state: "failed", error: code(errorCode) });
const succeeded = (content: string): Expected => ({ state: "succeeded", error: null, content });

describe.each([
  ["warm", { HEADWAY_WARM_PROCESSES: "8" }],
  ["one-turn", { HEADWAY_WARM_PROCESSES: "0" }],
])("a process that misbehaves (%s)", (mode, modeEnv) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage({
      ...modeEnv,
      HEADWAY_KILL_GRACE_MS: "400",
      HEADWAY_LINGER_MS: "300",
      HEADWAY_PROCESS_LIMIT: "60",
      HEADWAY_STALL_TIMEOUT_MS: "4000",
    });
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Row of the list, prompt, outcome, time limit. */
  const faults: [row: string, prompt: string, expected: Expected, timeoutMs?: number][] = [
    ["P3 exits 1 at once", "exit=1", { ...failed("exit_nonzero"), content: "", contentFinal: false }],
    [
      "P3 exits after some text",
      "exit-late=3",
      { ...failed("exit_nonzero"), content: "Some text", exitCode: 3 },
    ],
    ["P4 dies of a signal", "crash", { ...failed("signal"), content: "Some text", contentFinal: false }],
    [
      "P5 prints nothing until the deadline",
      "silent",
      { state: "timed_out", error: code("deadline") },
      1_500,
    ],
    ["P5 begins and then says nothing", "forever", { state: "timed_out", error: code("stalled") }],
    [
      "P6 ignores everything polite until the deadline",
      "deaf",
      { state: "timed_out", error: code("deadline") },
      1_000,
    ],
    ["P7 leaves processes that hold its output", "orphaner hello", succeeded("You said: orphaner hello")],
    ["P8 never exits after its result", "lingerer hello", succeeded("You said: lingerer hello")],
    ["P9 starts too many processes", "fork=80", failed("process_limit")],
    ["P10 takes too much memory", "memory=400", failed("memory_limit")],
    ["P11 spins", "tool=while :; do :; done", { state: "timed_out", error: code("deadline") }, 1_500],
    ["P13 is stopped", stopMe, { state: "timed_out", error: code("stalled") }],
    ["P16 closes its input early", "eof-early hello", succeeded("You said: eof-early hello")],
  ];

  test("every fault has its outcome, leaves no process, and the agent's next turn succeeds", async () => {
    const agents = await Promise.all(faults.map(() => stage.agent({ memoryLimitMb: 256 })));

    const runs = await Promise.all(faults.map((fault, at) => suffer(agents[at]!, fault)));

    expect(runs.map(({ run }) => run)).toEqual(
      faults.map(([row, , expected]) => ({ row, survivors: 0, ...expected })),
    );
    for (const { next } of runs) expect(next).toStartWith("Earlier you said: ");
  });

  async function suffer(agent: StageAgent, [row, prompt, expected, timeoutMs]: (typeof faults)[number]) {
    const { id } = await agent.begin(prompt, timeoutMs ? { timeoutMs } : {});
    if (prompt === stopMe) await stopCli(agent, id);
    const body = await stage.settled(id);
    const next = await agent.ask("recall");
    return { run: { row, ...membersOf(body, { survivors: 0, ...expected }) }, next };
  }

  async function stopCli({ cwd }: StageAgent, runId: string): Promise<void> {
    await stage.eventSeen(runId, ({ type }) => type === "text");
    const clis = descendantsOf(stage.server.pid).filter(({ argv }) => argv[1] === stage.cliPath);
    const [cli, ...others] = clis.filter(({ pid }) => readlinkSync(`/proc/${pid}/cwd`) === cwd);
    if (!cli || others.length > 0) throw new Error(`Not one CLI in ${cwd} but ${clis.length}.`);
    process.kill(cli.pid, "SIGSTOP");
  }

  test("P1, P2: an executable or a folder that isn't there, or can't be run, is told apart", async () => {
    const agent = await stage.agent();
    const gone = await stage.agent();

    rmSync(stage.cliPath);
    const missing = await agent.execute("hello");
    writeFileSync(stage.cliPath, "#!/nowhere/at/all\n");
    chmodSync(stage.cliPath, 0o755);
    const broken = await agent.execute("hello");
    stage.linkCli();
    rmSync(gone.cwd, { recursive: true });
    const homeless = await gone.execute("hello");

    expect(missing.body).toMatchObject(failed("cli_not_found"));
    expect(broken.body).toMatchObject(failed("spawn_error"));
    expect(homeless.body).toMatchObject(failed("cwd_missing"));
    expect(await agent.ask("hello")).toBe("You said: hello");
  });

  test("P12: a process that dies before its turn's first output is replaced once if it was warm", async () => {
    const agent = await stage.agent();
    await agent.ask("hello");

    const { body } = await agent.execute("die-before-output-once");

    const notices = (await stage.events(body.id)).flatMap((event) =>
      event.type === "notice" ? [event.code] : [],
    );
    expect(body).toMatchObject({
      ...succeeded("You said: die-before-output-once"),
      transport: { warm: false },
    });
    expect(notices).toEqual(mode === "warm" ? ["cold_start"] : []);
  });
});
