import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { emptyAnswer, finalText, foldAnswer, type RunEvent } from "../../src/domain/event.ts";
import { requestJson } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import { type CliServer, startCliServer } from "./cli-server.ts";
import { isInstalled, type RealCli, realCliVersion } from "./install.ts";

/** What differs between the CLIs, as far as the scenarios have to know. */
export interface CliTraits {
  cli: RealCli;
  title: string;
  /** A process of the CLI itself, among those of the server. */
  isCli(argv: readonly string[]): boolean;
  tools: { shell: string; write: string };
  /** The version is told by its package; ACP agents of an owner's have none that we know. */
  tellsVersion: boolean;
  /** Each process of one turn continues in a session of another id. */
  forksSessions: boolean;
  /** Answers of the API that it reports at once, and our codes for them. */
  errors: Record<number, string>;
  /** Where the CLI keeps its sessions, below the home folder. */
  sessions: string;
}

interface Way {
  name: string;
  isWarm: boolean;
  env: Record<string, string>;
}

const warm: Way = { name: "warm", isWarm: true, env: { HEADWAY_WARM_PROCESSES: "4" } };
const oneTurn: Way = { name: "one process per turn", isWarm: false, env: { HEADWAY_WARM_PROCESSES: "0" } };
const slowAnswer = "delay=100 a b c d e f g h i j k l m n o p q r s t u v w x y z";
const bigPrompt = `${"0123456789 ünïcödé ✓ ".repeat(12_000)}END`;

/**
 * The same for every CLI that Headway carries, warm and with one process per turn. All of them take minutes for
 * each CLI, which is for `npm run test:long`; the core of them is for every run of the tests.
 */
export function sharedScenarios(traits: CliTraits): void {
  scenariosOf(traits, () => {
    for (const way of [warm, oneTurn]) {
      describe(way.name, () => {
        remembering(traits, way);
        reading(traits, way);
        usingTools(traits, way);
        writing(traits, way);
        cancelling(traits, way);
        cancellingTools(traits, way, ["tail -f /dev/null", "setsid tail -f /dev/null & tail -f /dev/null"]);
        failing(traits, way);
        losingSessions(traits, way);
      });
    }
    changingForms(traits);
    livingOn(traits);
  });
}

/** The core of them. */
export function coreScenarios(traits: CliTraits): void {
  scenariosOf(traits, () => {
    describe(warm.name, () => {
      remembering(traits, warm);
      usingTools(traits, warm);
      cancelling(traits, warm);
      cancellingTools(traits, warm, ["setsid tail -f /dev/null & tail -f /dev/null"]);
      failing(traits, warm);
    });
    describe(oneTurn.name, () => {
      remembering(traits, oneTurn);
      cancellingTools(traits, oneTurn, ["tail -f /dev/null"]);
    });
    changingForms(traits);
  });
}

/** The least of them, for a CLI that takes many seconds for each. */
export function leastScenarios(traits: CliTraits): void {
  scenariosOf(traits, () => {
    describe(warm.name, () => {
      remembering(traits, warm);
      usingTools(traits, warm);
      cancellingTools(traits, warm, ["setsid tail -f /dev/null & tail -f /dev/null"]);
    });
  });
}

function scenariosOf({ cli, title }: CliTraits, register: () => void): void {
  setDefaultTimeout(90_000);
  describe.skipIf(!isInstalled(cli))(`the real ${title}`, register);
}

function remembering(traits: CliTraits, { env, isWarm }: Way): void {
  test("remembers the first turn in the second", async () => {
    await using cli = await startCliServer(traits.cli, { env });

    const first = await cli.execute("my name is Ada");
    const second = await cli.execute("recall");

    expect(first).toMatchObject({ status: 200, body: { content: "You said: my name is Ada" } });
    expect(second.body).toMatchObject({
      state: "succeeded",
      content: "Earlier you said: my name is Ada",
      contentFinal: true,
      transport: { warm: isWarm },
      cliVersion: traits.tellsVersion ? realCliVersion(traits.cli) : expect.anything(),
      conversationId: first.body.conversationId,
      survivors: 0,
    });
    expect(second.body.usage?.outputTokens).toBeGreaterThan(0);
    const sameSession = second.body.cliSessionId === first.body.cliSessionId;
    expect(sameSession).toBe(isWarm || !traits.forksSessions);
    if (!isWarm) await waitFor(() => processesOf(traits, cli).length === 0, { what: "no process kept" });
  });
}

function reading(traits: CliTraits, { env }: Way): void {
  test("gets a prompt of 300 KB and odd ones as they are, and none of them in argv", async () => {
    await using cli = await startCliServer(traits.cli, { env });
    const prompts = ["--help", "-p x", bigPrompt];

    for (const prompt of prompts) await cli.execute(prompt);

    const heard = cli.api.requests.flatMap(({ history }) => history.map(({ text }) => text));
    for (const prompt of prompts) expect(heard.includes(prompt)).toBe(true);
  });

  test("gets the agent's system prompt, and doesn't show it in argv", async () => {
    await using cli = await startCliServer(traits.cli, { env, agent: { systemPrompt: "SYSTEM-SECRET" } });

    const run = await cli.begin(slowAnswer);
    await asked(cli, slowAnswer);
    const processes = cli.server.survivors();
    await cli.cancel(run.id);

    expect(processes.length).toBeGreaterThan(0);
    for (const { argv, environment } of processes)
      expect([...argv, environment].join("\n")).not.toContain("SYSTEM-SECRET");
    expect(cli.api.requests.some(({ rawBody }) => rawBody.includes("SYSTEM-SECRET"))).toBe(true);
  });
}

function usingTools({ cli: name, tools: { shell } }: CliTraits, { env }: Way): void {
  test("uses a tool, and only what it says after the tool is its answer", async () => {
    await using cli = await startCliServer(name, { env, agent: { permissionMode: "full" } });

    const { body: run } = await cli.execute("use tool `echo from the tool`");
    const events = await cli.listEvents(run.id);

    expect(run).toMatchObject({ state: "succeeded", toolNames: [shell] });
    expect(run.content).toStartWith("Tool said:");
    expect(run.content).toContain("from the tool");
    expect(streamedAnswer(events)).toBe(run.content);
    expect(events.filter(({ type }) => type.startsWith("tool."))).toMatchObject([
      { type: "tool.started", name: shell },
      { type: "tool.finished", isError: false },
    ]);
    expect(JSON.stringify(events)).toContain("echo from the tool");
  });
}

function writing({ cli: name, tools: { write } }: CliTraits, { env }: Way): void {
  test("writes a file in permission mode edit, and none in permission mode read", async () => {
    await using cli = await startCliServer(name, { env });
    await cli.createAgent({ id: "reader", permissionMode: "read" });
    const made = join(cli.server.workspace, "made.txt");

    await cli.execute(`write file \`${made}\``, "reader");
    const madeByReader = existsSync(made);
    const editor = await cli.execute(`write file \`${made}\``);

    expect(editor.body).toMatchObject({ state: "succeeded", toolNames: [write] });
    expect([madeByReader, existsSync(made)]).toEqual([false, true]);
  });
}

function cancelling(traits: CliTraits, { env }: Way): void {
  test("is cancelled in mid-stream, and the next turn goes on", async () => {
    await using cli = await startCliServer(traits.cli, { env });
    const before = await cli.execute("my name is Ada");
    const run = await cli.begin(slowAnswer);
    await asked(cli, slowAnswer);

    const reply = await cli.cancel(run.id);
    const next = await cli.execute("recall");

    expect(before.body.state).toBe("succeeded");
    expect(reply).toMatchObject({ state: "cancelled", alreadyFinished: false, survivors: 0 });
    expect((await cli.getRun(run.id)).contentFinal).toBe(false);
    expect(next.body).toMatchObject({ state: "succeeded", error: null });
    expect(next.body.content).toContain("my name is Ada");
  });
}

function cancellingTools(traits: CliTraits, { env }: Way, commands: readonly string[]): void {
  test.each(commands)("cancelled in a tool, leaves no process of it: %s", async (command) => {
    await using cli = await startCliServer(traits.cli, { env, agent: { permissionMode: "full" } });
    const run = await cli.begin(`use tool \`${command}\``);
    await waitFor(() => cli.processesNamed("tail").length > 0, {
      deadlineMs: 30_000,
      what: "the tool's process",
    });

    const reply = await cli.cancel(run.id);
    const left = cli.processesNamed("tail").length;
    const next = await cli.execute("hello again");

    expect(reply).toMatchObject({ state: "cancelled", survivors: 0 });
    expect(left).toBe(0);
    expect(next.body).toMatchObject({ state: "succeeded", content: "You said: hello again" });
  });
}

function failing(traits: CliTraits, { env }: Way): void {
  test("has its API errors told by our codes and in its own words, and lives on", async () => {
    await using cli = await startCliServer(traits.cli, { env: { ...env, HEADWAY_BREAKER_FAILURES: "0" } });

    for (const [status, code] of Object.entries(traits.errors)) {
      const { body } = await cli.execute(`error ${status}`);
      expect([status, body.state, body.error?.code]).toEqual([status, "failed", code]);
      expect(body.error?.message).toContain("(fake)");
    }
    const next = await cli.execute("better?");

    expect(next.body).toMatchObject({ state: "succeeded", content: "You said: better?" });
  });
}

function losingSessions(traits: CliTraits, { env }: Way): void {
  test("that has lost its session begins a fresh one, which is told the conversation so far", async () => {
    await using cli = await startCliServer(traits.cli, { env });
    const before = await cli.execute("my name is Ada");
    await cli.server.stop();
    await removeSessions(cli, traits.sessions);
    await cli.server.restart();

    const { body: run } = await cli.execute("what is my name?");

    expect(run).toMatchObject({ state: "succeeded", conversationId: before.body.conversationId });
    expect(notices(await cli.listEvents(run.id))).toContain("session_lost");
    expect(run.cliSessionId).not.toBe(before.body.cliSessionId);
    expect(cli.api.requests.at(-1)?.rawBody).toContain("my name is Ada");
    const next = await cli.execute("recall");
    expect(next.body.content).toContain("what is my name?");
    expect(next.body.content).toContain("my name is Ada");
  });
}

/** A conversation outlives the form in which its turns are carried. */
function changingForms(traits: CliTraits): void {
  test("goes on in the same conversation warm, with one process per turn, and warm again", async () => {
    await using cli = await startCliServer(traits.cli);
    await cli.execute("one apple");

    await cli.server.stop();
    await cli.server.restart({ HEADWAY_WARM_PROCESSES: "0" });
    const second = await cli.execute("two pears");
    await cli.server.stop();
    await cli.server.restart({ HEADWAY_WARM_PROCESSES: "4" });
    const third = await cli.execute("recall");

    expect(second.body.state).toBe("succeeded");
    expect(third.body.content).toBe("Earlier you said: one apple | two pears");
  });
}

function livingOn(traits: CliTraits): void {
  test("goes on in its session after its warm process was killed, and after the server was", async () => {
    await using cli = await startCliServer(traits.cli);
    await cli.execute("one apple");
    for (const { pid } of processesOf(traits, cli)) process.kill(pid, "SIGKILL");

    const second = await cli.execute("two pears");
    await cli.server.kill();
    await waitFor(() => cli.server.survivors().length === 0, { what: "the CLI dying with its server" });
    await cli.server.restart();
    const third = await cli.execute("recall");

    expect(second.body).toMatchObject({ state: "succeeded", transport: { warm: false } });
    expect(third.body.content).toBe("Earlier you said: one apple | two pears");
  });

  test("follows a changed system prompt with the next turn, and still knows the conversation", async () => {
    await using cli = await startCliServer(traits.cli, { agent: { systemPrompt: "OLD-RULES" } });
    await cli.execute("my name is Ada");

    await cli.patchAgent({ systemPrompt: "NEW-RULES" });
    const { body: run } = await cli.execute("what is my name?");

    const body = cli.api.requests.at(-1)?.rawBody ?? "";
    expect(run.state).toBe("succeeded");
    expect([body.includes("NEW-RULES"), body.includes("my name is Ada")]).toEqual([true, true]);
    expect(notices(await cli.listEvents(run.id))).toContain("session_restarted");
  });

  test("knows nothing of a conversation that was ended", async () => {
    await using cli = await startCliServer(traits.cli);

    await cli.execute("my name is Ada");
    const ended = await requestJson(cli.server.fetch, "POST", "/api/agents/ada/end-session");
    const { body: run } = await cli.execute("recall");

    expect(ended).toMatchObject({ status: 200, body: { ended: true } });
    expect(run.content.trim()).toBe("Earlier you said:");
  });
}

/** Not every CLI shows its answer in pieces, so it is the model that tells when the turn is under way. */
async function asked({ api }: CliServer, prompt: string): Promise<void> {
  await waitFor(() => api.requests.some(({ rawBody }) => rawBody.includes(prompt)), {
    deadlineMs: 30_000,
    what: "the model being asked",
  });
}

function processesOf({ isCli }: CliTraits, { server }: CliServer) {
  return server.survivors().filter(({ argv }) => isCli(argv));
}

function notices(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === "notice" ? [event.code] : []));
}

function streamedAnswer(events: readonly RunEvent[]): string {
  const answer = emptyAnswer();
  for (const event of events) foldAnswer(answer, event);
  return finalText(answer);
}

async function removeSessions({ server }: CliServer, sessions: string): Promise<void> {
  const folder = join(server.home, sessions);
  if (!existsSync(folder)) throw new Error(`There are no sessions in ${folder}.`);
  const removing = Bun.spawn(["rm", "-r", folder]);
  if ((await removing.exited) !== 0) throw new Error(`${folder} could not be removed.`);
}
