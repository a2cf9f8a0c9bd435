import { closeSync, openSync } from "node:fs";
import { claudeAdapter } from "../src/runner/adapters/claude.ts";
import { wrap } from "../src/runner/process/containment.ts";
import type { Stage } from "./stage.ts";

export interface BareCliSpec {
  file: string;
  cwd: string;
  hiddenPath: string;
  env?: Record<string, string>;
}

/** A CLI in Headway's containment, spoken to in its own protocol, with nothing of Headway between. */
export interface BareCli extends AsyncDisposable {
  /** Resolves with the chunks' arrival when the result has come. */
  turn(prompt: string, onChunk?: (chunk: string) => void): Promise<void>;
  /** Closes the input and resolves when the process has ended. */
  end(): Promise<void>;
}

export function startBareCli({ containment }: Stage, spec: BareCliSpec): BareCli {
  const child = spawnContained(containment, spec);
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();

  async function turn(prompt: string, onChunk?: (chunk: string) => void): Promise<void> {
    void child.stdin.write(claudeAdapter.turnInput(prompt));
    void child.stdin.flush();
    let tail = "";
    while (!tail.includes('"type":"result"') || !tail.endsWith("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error("The bare CLI ended in the middle of a turn.");
      const chunk = decoder.decode(value, { stream: true });
      onChunk?.(chunk);
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
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

const statusFd = 3;

/** The command line that Headway's own runs get, and the same pipes. */
function spawnContained(containment: Stage["containment"], spec: BareCliSpec) {
  const command = claudeAdapter.command({
    executable: spec.file,
    sessionId: crypto.randomUUID(),
    resume: false,
    model: null,
    permissionMode: "edit",
    mcpConfigPath: null,
  });
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
