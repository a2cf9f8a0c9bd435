import type {
  Command,
  Decoded,
  Dialect,
  Dialogue,
  SessionSpec,
} from "../../../src/runner/adapters/adapter.ts";
import { isEnd } from "../../contract/decoded.ts";
import { createLineFramer } from "../../../src/runner/process/lines.ts";
import { waitFor } from "../../helpers/wait.ts";

/** A real CLI process that is spoken to in its dialect, with nothing of the runner between. */
export interface Talk extends AsyncDisposable {
  readonly pid: number;
  readonly command: Command;
  /** What it printed so far. */
  readonly lines: string[];
  /** What was written to it so far, each piece as the dialogue gave it. */
  readonly inputs: string[];
  readonly decoded: Decoded[];
  /** Begins a turn. */
  send(prompt: string): void;
  write(input: string): void;
  /** Has the running turn ended by protocol; throws where the dialect can't. */
  interrupt(requestId: string): void;
  /** Begins a turn and resolves with what it was decoded to, when it has ended. */
  say(prompt: string): Promise<Decoded[]>;
  /** Resolves when the turn that was begun last has ended, or with it the process. */
  ended(): Promise<void>;
  /** Resolves when something was decoded that fits, since the last turn was begun; throws when none will be. */
  until(fits: (decoded: Decoded) => boolean, what: string): Promise<void>;
  closeInput(): void;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal's name, when all that it printed was read. */
  readonly exited: Promise<number | NodeJS.Signals>;
  stderr(): Promise<string>;
}

export interface TalkOptions {
  dialect: Dialect;
  spec: Partial<SessionSpec> & { executable: string; sessionId: string };
  home: string;
  systemPrompt?: string;
  env?: Record<string, string>;
}

/** The longest wait for one turn: a real CLI takes seconds to start on a busy machine. */
const turnMsMax = 45_000;

export function startTalk(options: TalkOptions): Talk {
  const { dialect, home, systemPrompt = null } = options;
  const spec = {
    resume: false,
    cwd: home,
    model: null,
    permissionMode: "edit",
    mcpConfigPath: null,
    ...options.spec,
  } as const;
  const command = dialect.command(spec);
  const child = Bun.spawn([command.file, ...command.args], {
    cwd: spec.cwd,
    env: { PATH: Bun.env.PATH ?? "", HOME: home, ...command.env, ...options.env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const dialogue = dialect.open({ ...spec, systemPrompt });
  const lines: string[] = [];
  const inputs: string[] = [];
  const decoded: Decoded[] = [];
  let errorText = "";
  let from = 0;
  let isClosed = false;
  let hasExited = false;

  function write(input: string): void {
    inputs.push(input);
    if (isClosed) return;
    void child.stdin.write(input);
    void child.stdin.flush();
  }
  function closeInput(): void {
    if (isClosed) return;
    isClosed = true;
    void child.stdin.end();
  }
  function take(some: Decoded[]): void {
    for (const one of some) if (one.kind === "write") write(one.input);
    if (dialect.promptEndsInput && dialogue.prompted) closeInput();
    decoded.push(...some);
  }
  function send(prompt: string): void {
    from = decoded.length;
    take(dialogue.begin(prompt));
  }
  async function until(fits: (one: Decoded) => boolean, what: string): Promise<void> {
    const isThere = () => decoded.slice(from).some(fits);
    await waitFor(() => isThere() || hasExited, { what, deadlineMs: turnMsMax });
    if (!isThere()) throw new Error(`The CLI ended before ${what}: ${errorText.slice(-1000)}`);
  }
  const read = readLines(child.stdout, (line) => (lines.push(line), take(dialogue.decode(line))));
  const readErrors = readLines(child.stderr, (line) => {
    errorText += `${line}\n`;
    take(dialogue.decodeError?.(line) ?? []);
  });
  const exited = child.exited.then(async (code) => {
    await Promise.all([read, readErrors]);
    hasExited = true;
    return child.signalCode ?? code;
  });
  return {
    pid: child.pid,
    command,
    lines,
    inputs,
    decoded,
    send,
    write,
    interrupt: (requestId) => write(interruptOf(dialogue, requestId)),
    until,
    async ended() {
      const isOver = () => hasExited || decoded.slice(from).some(isEnd);
      await waitFor(isOver, { what: "the end of the turn", deadlineMs: turnMsMax });
    },
    async say(prompt) {
      send(prompt);
      await until(isEnd, `the end of the turn "${prompt.slice(0, 40)}"`);
      return decoded.slice(from);
    },
    closeInput,
    signal: (signal) => child.kill(signal),
    exited,
    stderr: async () => (await readErrors, errorText),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function interruptOf(dialogue: Dialogue, requestId: string): string {
  const input = dialogue.interrupt(requestId);
  if (input === null) throw new Error("This dialect has no word to interrupt a turn.");
  return input;
}

async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const framer = createLineFramer({ lineBytesMax: 8_388_608 });
  for await (const chunk of stream) framer.push(chunk).lines.forEach(take);
  framer.end().lines.forEach(take);
}
