import type { Adapter, Decoded, Decoder, SessionSpec } from "../../../src/runner/adapters/adapter.ts";
import { createLineFramer } from "../../../src/runner/process/lines.ts";
import { waitFor } from "../../helpers/wait.ts";

/** A real CLI process that is spoken to through its adapter, with nothing of the runner between. */
export interface Talk extends AsyncDisposable {
  readonly pid: number;
  readonly lines: string[];
  readonly decoded: Decoded[];
  /** Begins a turn. */
  send(prompt: string): void;
  write(input: string): void;
  /** Begins a turn and resolves with what it was decoded to, when it has ended. */
  say(prompt: string): Promise<Decoded[]>;
  /** Resolves when something was decoded that fits, since the last turn was begun. */
  until(fits: (decoded: Decoded) => boolean, what: string): Promise<void>;
  closeInput(): void;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  stderr(): Promise<string>;
}

export interface TalkOptions {
  adapter: Adapter;
  spec: Partial<SessionSpec> & { executable: string; sessionId: string };
  home: string;
  systemPrompt?: string;
  env?: Record<string, string>;
}

export function startTalk(options: TalkOptions): Talk {
  const { adapter, home } = options;
  const spec = {
    resume: false,
    model: null,
    permissionMode: "edit",
    mcpConfigPath: null,
    ...options.spec,
  } as const;
  const command = adapter.command(spec);
  const child = Bun.spawn([command.file, ...command.args], {
    cwd: home,
    env: { PATH: Bun.env.PATH ?? "", HOME: home, ...command.env, ...options.env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const decoder = adapter.decoder(spec);
  const lines: string[] = [];
  const decoded: Decoded[] = [];
  const stderr = new Response(child.stderr).text();
  const read = readLines(child.stdout, decoder, lines, decoded);
  let from = 0;

  function write(input: string): void {
    void child.stdin.write(input);
    void child.stdin.flush();
  }
  function send(prompt: string): void {
    from = decoded.length;
    decoder.beginTurn();
    write(adapter.turnInput(prompt));
  }
  async function until(fits: (one: Decoded) => boolean, what: string): Promise<void> {
    await waitFor(() => decoded.slice(from).some(fits), { what });
  }
  write(adapter.opening({ systemPrompt: options.systemPrompt ?? null }));
  return {
    pid: child.pid,
    lines,
    decoded,
    send,
    write,
    until,
    async say(prompt) {
      send(prompt);
      await until(({ kind }) => kind === "turn.ended", `the end of the turn "${prompt.slice(0, 40)}"`);
      return decoded.slice(from);
    },
    closeInput: () => void child.stdin.end(),
    signal: (signal) => child.kill(signal),
    exited: child.exited.then(async (code) => (await read, child.signalCode ?? code)),
    stderr: () => stderr,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function readLines(
  stdout: ReadableStream<Uint8Array>,
  decoder: Decoder,
  lines: string[],
  decoded: Decoded[],
): Promise<void> {
  const framer = createLineFramer({ lineBytesMax: 8_388_608 });
  const take = (some: string[]) => {
    lines.push(...some);
    decoded.push(...some.flatMap((line) => decoder.decode(line)));
  };
  for await (const chunk of stdout) take(framer.push(chunk).lines);
  take(framer.end().lines);
}
