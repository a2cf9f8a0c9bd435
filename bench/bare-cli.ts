import { closeSync, openSync } from "node:fs";
import type { Dialect, Dialogue } from "../src/runner/adapters/adapter.ts";
import { claudeDialect } from "../src/runner/adapters/claude.ts";
import { wrap } from "../src/runner/process/containment.ts";
import type { Stage } from "./stage.ts";

export interface BareCliSpec {
  file: string;
  cwd: string;
  hiddenPath: string;
  env?: Record<string, string>;
  /** How it is spoken to; Claude's stream-json when nothing is said. */
  speech?: Speech;
}

export interface Speech {
  dialect: Dialect;
  /** Stands in the line that ends a turn, and in no other. */
  endMark: string;
  model: string | null;
  /** A session that the CLI has, to be gone on with. */
  resumed?: string;
}

/** A CLI in Headway's containment, spoken to in its own protocol, with nothing of Headway between. */
export interface BareCli extends AsyncDisposable {
  /** Resolves with the chunks' arrival when the result has come. */
  turn(prompt: string, onChunk?: (chunk: string) => void): Promise<void>;
  /** Closes the input and resolves when the process has ended. */
  end(): Promise<void>;
  /** The session that it named last. */
  readonly sessionId: string | null;
}

const claudeSpeech: Speech = { dialect: claudeDialect, endMark: '"type":"result"', model: null };

export function startBareCli({ containment }: Stage, spec: BareCliSpec): BareCli {
  const { speech = claudeSpeech } = spec;
  const sessionSpec = sessionSpecOf(spec, speech);
  const child = spawnContained(containment, spec, speech.dialect.command(sessionSpec));
  const dialogue = speech.dialect.open({ ...sessionSpec, systemPrompt: null });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  const heard = createHearing(dialogue, (input) => {
    void child.stdin.write(input);
    void child.stdin.flush();
  });

  async function read(onChunk?: (chunk: string) => void): Promise<string> {
    const { done, value } = await reader.read();
    if (done) throw new Error("The bare CLI ended in the middle of a turn.");
    const chunk = decoder.decode(value, { stream: true });
    onChunk?.(chunk);
    return chunk;
  }
  async function turn(prompt: string, onChunk?: (chunk: string) => void): Promise<void> {
    heard.begin(prompt);
    if (speech.dialect.promptEndsInput) void child.stdin.end();
    while (!dialogue.prompted) heard.now(await read(onChunk));
    let tail = "";
    while (!tail.includes(speech.endMark) || !tail.endsWith("\n")) {
      const chunk = await read(onChunk);
      heard.later(chunk);
      // A result's line may come in pieces, and may be as long as the answer.
      tail = (tail + chunk).slice(-65_536);
    }
  }
  async function end(): Promise<void> {
    void child.stdin.end();
    await child.exited;
  }
  return {
    turn,
    end,
    get sessionId() {
      return heard.sessionId();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Once the prompt is sent, what a turn printed is understood after it, so that its time isn't the CLI's. */
function createHearing(dialogue: Dialogue, write: (input: string) => void) {
  let rest = "";
  let pending = "";
  let sessionId: string | null = null;

  function take(decoded: ReturnType<Dialogue["decode"]>): void {
    for (const one of decoded) {
      if (one.kind === "write") write(one.input);
      if (one.kind === "event" && one.event.type === "session") sessionId = one.event.cliSessionId;
    }
  }
  function now(chunk: string): void {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter(Boolean)) take(dialogue.decode(line));
  }
  function catchUp(): void {
    const chunk = pending;
    pending = "";
    now(chunk);
  }
  return {
    begin(prompt: string) {
      catchUp();
      take(dialogue.begin(prompt));
    },
    now,
    later: (chunk: string) => void (pending += chunk),
    sessionId() {
      catchUp();
      return sessionId;
    },
  };
}

function sessionSpecOf({ file, cwd }: BareCliSpec, { model, resumed }: Speech) {
  return {
    executable: file,
    sessionId: resumed ?? crypto.randomUUID(),
    resume: resumed !== undefined,
    cwd,
    model,
    permissionMode: "edit" as const,
    mcpConfigPath: null,
  };
}

const statusFd = 3;

/** The command line that Headway's own runs get, and the same pipes. */
function spawnContained(
  containment: Stage["containment"],
  spec: BareCliSpec,
  command: ReturnType<Dialect["command"]>,
) {
  const { file, args } = wrap(containment, {
    ...command,
    cwd: spec.cwd,
    hiddenPaths: [spec.hiddenPath],
    statusFd,
  });
  const status = openSync("/dev/null", "w");
  try {
    return Bun.spawn([file, ...args], {
      cwd: spec.cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: spec.cwd, ...command.env, ...spec.env },
      stdio: ["pipe", "pipe", "ignore", status],
      detached: true,
      lazy: true,
    });
  } finally {
    closeSync(status);
  }
}
