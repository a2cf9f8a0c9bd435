import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type ContainmentTest, containmentTestSchema } from "../../domain/containment-report.ts";
import { type Clock, within } from "../../domain/clock.ts";
import type { SelfTestOptions } from "./self-test.ts";
import { lowerPriority } from "./start-child.ts";

/** What the tester is told on its standard input, as one line of JSON. */
export type TesterTask = Omit<SelfTestOptions, "clock">;

export type SelfTestOutcome =
  | { kind: "tested"; tests: readonly ContainmentTest[] }
  /** It couldn't be made; nothing is known. */
  | { kind: "failed"; message: string };

export interface SelfTestProcess {
  /** Never rejects. */
  readonly outcome: Promise<SelfTestOutcome>;
  /** Ends it, and with it whatever it had started; its outcome is then a failure. */
  stop(): Promise<void>;
}

/** Under load, and where trees live on. */
const testMsMax = 60_000;

const answerSchema = z.union([
  z.object({ tests: z.array(containmentTestSchema) }),
  z.object({ failure: z.string() }),
]);

/**
 * Runs the self-test in a process of its own that yields to everything else: the server's own work doesn't
 * wait for it. The folder is made here, so that it goes even when the tester was killed.
 */
export function startSelfTest(
  options: Omit<SelfTestOptions, "folder"> & { scratchFolder: string },
): SelfTestProcess {
  const { scratchFolder, clock, ...rest } = options;
  const folder = mkdtempSync(join(scratchFolder, "headway-self-test-"));
  const child = Bun.spawn(
    [process.execPath, "--no-env-file", join(import.meta.dir, "self-test-main.ts"), "tester"],
    {
      cwd: "/",
      env: { PATH: options.path, BUN_BE_BUN: "1" },
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
    },
  );
  lowerPriority(child.pid);
  const task: TesterTask = { ...rest, folder };
  void child.stdin.write(`${JSON.stringify(task)}\n`);
  void child.stdin.flush();
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const hearAndStop = async () => {
    const outcome = await hear(child.stdout, clock);
    await stop();
    return outcome;
  };
  return { outcome: hearAndStop(), stop };
}

async function hear(stdout: ReadableStream<Uint8Array>, clock: Clock): Promise<SelfTestOutcome> {
  const line = firstLine(stdout);
  if (!(await within(clock, line, testMsMax))) return failed(`it didn't end within ${testMsMax / 1000} s`);
  const answer = answerSchema.safeParse(parseJson(await line));
  if (!answer.success) return failed("its process ended without an answer");
  return "tests" in answer.data ? { kind: "tested", tests: answer.data.tests } : failed(answer.data.failure);
}

function failed(message: string): SelfTestOutcome {
  return { kind: "failed", message };
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (said.includes("\n")) break;
  }
  return said;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}
