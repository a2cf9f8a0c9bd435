import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { PermissionMode } from "../../src/domain/agent.ts";
import type { RunEventBody } from "../../src/domain/event.ts";
import type { Decoded, SessionSpec } from "../../src/runner/adapters/adapter.ts";
import { sessionOf } from "../contract/decoded.ts";
import { survivorsWith } from "../helpers/survivors.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import type { Recording } from "../runner/adapters/recordings.ts";
import { startTalk, type Talk } from "../runner/adapters/talk.ts";
import type { Rig } from "./rigs.ts";
import type { Scenario, Step } from "./scenarios.ts";
import { createScrubber, cutLists } from "./scrub.ts";

/** A recording as it is kept, with what has to be set to make it again. */
export interface Recorded extends Recording {
  env: Record<string, string>;
}

/** How long a process may take to end after its last turn. */
const exitMsMax = 15_000;
/** Every process that a scenario starts bears this, so that none is left behind. */
const marker = "HEADWAY_RECORDING";

/** Drives the CLI through a scenario, in a home of its own, and keeps what it said. */
export async function perform(rig: Rig, scenario: Scenario, apiUrl: string): Promise<Recorded> {
  using home = makeTempFolder();
  const cwd = join(home.path, "project");
  mkdirSync(cwd);
  rig.furnish(home.path);
  const token = randomUUID();
  const permissionMode = rig.permissionMode(scenario.permissionMode ?? "edit");
  const start = (spec: Partial<SessionSpec>) =>
    startTalk({
      dialect: rig.adapter.dialects[scenario.form],
      spec: {
        executable: rig.executable,
        sessionId: randomUUID(),
        cwd,
        model: rig.model,
        permissionMode,
        ...spec,
      },
      home: home.path,
      env: { ...rig.env, [marker]: token, TMPDIR: home.path },
    });
  try {
    const session = await sessionFor(scenario, start);
    await using talk = start(session);
    for (const step of scenario.steps) await take(talk, step);
    const exit = await exitOf(talk);
    return scrubbed({
      rig,
      permissionMode,
      home: home.path,
      apiUrl,
      talk,
      exit,
      stderr: await talk.stderr(),
    });
  } finally {
    for (const { pid } of survivorsWith(token)) process.kill(pid, "SIGKILL");
    await waitFor(() => survivorsWith(token).length === 0, {
      what: "the end of what a scenario had started",
    });
  }
}

async function sessionFor(
  { resumes }: Scenario,
  start: (spec: Partial<SessionSpec>) => Talk,
): Promise<Partial<SessionSpec>> {
  if (resumes === undefined) return {};
  if (resumes === "an unknown one") return { resume: true };
  await using before = start({});
  const sessionId = sessionOf(await before.say("remember me"));
  await exitOf(before);
  return { sessionId, resume: true };
}

async function take(talk: Talk, { say, stop }: Step): Promise<void> {
  talk.send(say);
  if (stop) {
    await talk.until(isEvent(stop.after), `"${stop.after}" of "${say}"`);
    if (stop.by === "interrupt") talk.interrupt("stop");
    else talk.signal(stop.by);
  }
  await talk.ended();
}

function isEvent(type: RunEventBody["type"]) {
  return (one: Decoded) => one.kind === "event" && one.event.type === type;
}

/** How it ended when there was no more to say; one that doesn't is ended by us, and that is told. */
async function exitOf(talk: Talk): Promise<Recording["exit"]> {
  talk.closeInput();
  const timer = setTimeout(() => talk.signal("SIGKILL"), exitMsMax);
  const exit = await talk.exited;
  clearTimeout(timer);
  return typeof exit === "number" ? { exitCode: exit, signal: null } : { exitCode: null, signal: exit };
}

interface Performance {
  rig: Rig;
  permissionMode: PermissionMode;
  home: string;
  apiUrl: string;
  talk: Talk;
  exit: Recording["exit"];
  stderr: string;
}

function scrubbed({ rig, permissionMode, home, apiUrl, talk, exit, stderr }: Performance): Recorded {
  const scrub = createScrubber([
    [rig.executable, `/opt/${rig.cli}`],
    [join(import.meta.dir, "../.."), "/opt/headway"],
    [home, "/home/dev"],
    [home.replaceAll(/[/.]/g, "-"), "-home-dev"],
    [apiUrl, "http://127.0.0.1:4010"],
    [hostname(), "host"],
  ]);
  const env = { ...talk.command.env, ...rig.env };
  return {
    args: [rig.cli, ...talk.command.args].map(scrub),
    spec: { permissionMode },
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, scrub(value)])),
    inputs: talk.inputs
      .flatMap((input) => input.split("\n"))
      .filter(Boolean)
      .map(scrub),
    lines: talk.lines.map(cutLists).map(scrub),
    stderr: scrub(stderr),
    exit,
  };
}
