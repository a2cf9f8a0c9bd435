import { Database } from "bun:sqlite";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requestJson } from "../helpers/http.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent } from "./stage.ts";

const diskBytes = 32 * 1_048_576;

/**
 * Only root may mount a small disk; what the store does with one is tested without it in test/store. In CI
 * it is never skipped: there a machine that can't mount is a failure.
 */
export const canMount =
  process.env["CI"] === "true" || (process.getuid?.() === 0 && Bun.which("mount") !== null);

/** A server whose data directory lies on a disk of its own that can be filled up. */
export interface SmallDiskStage extends AsyncDisposable {
  stage: Stage;
  /** Leaves about this much, and no old pages of the write-ahead log to write over. */
  fill(leftBytes: number): Promise<void>;
  free(): void;
  /** Frees the disk, waits until the store has noticed, and tidies the stage. */
  recover(): Promise<void>;
}

export async function openSmallDiskStage(): Promise<SmallDiskStage> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(makeTempFolder());
  const disk = join(folder.path, "disk");
  const filler = join(disk, "filler");
  mkdirSync(disk);
  run(["mount", "-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", disk]);
  opened.defer(() => run(["umount", disk]));
  const stage = opened.use(await openStage({ HEADWAY_LOG_LIMIT_MB: "1" }, join(disk, "data")));
  const free = () => rmSync(filler, { force: true });
  const running = opened.move();
  return {
    stage,
    free,
    async fill(leftBytes) {
      free();
      await emptyWriteAheadLog(stage);
      const { bavail, bsize } = statfsSync(disk);
      writeAsMuch(filler, bavail * bsize - leftBytes);
    },
    async recover() {
      free();
      await becomesReady(stage);
      await stage.tidy();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function emptyWriteAheadLog({ server }: Stage): Promise<void> {
  using database = new Database(join(server.dataDir, "headway.db"));
  const truncate = database.query<{ busy: number }, []>("pragma wal_checkpoint(truncate)");
  await waitFor(() => truncate.get()?.busy === 0, { what: "the write-ahead log to be emptied" });
}

function writeAsMuch(path: string, bytes: number): void {
  try {
    writeFileSync(path, new Uint8Array(Math.max(0, bytes)));
  } catch (error) {
    // The server wrote in the same moment: what was left is taken, which is all we want.
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

function run(command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

export async function isReady({ server }: Stage): Promise<boolean> {
  return (await requestJson(server.fetch, "GET", "/readyz")).status === 200;
}

export function becomesReady(stage: Stage): Promise<boolean> {
  return waitFor(() => isReady(stage), {
    what: "the store to take writes again",
    deadlineMs: 20_000,
  });
}

/**
 * Executes with less and less of the disk full, one agent's turns cold and the other's warm; resolves with
 * the outcomes, "status code" each. The server must live through all of them.
 */
export async function executeWithSpaces(
  { stage, fill, free }: SmallDiskStage,
  spaces: readonly number[],
): Promise<string[]> {
  const [cold, warm] = [await stage.agent(), await stage.agent()];
  const outcomes: string[] = [];
  for (const [at, space] of spaces.entries()) {
    const agent = at % 2 === 0 ? cold : warm;
    await fill(space);
    const answer = outcomeOf(agent, `with ${space} left`);
    await waitFor(async () => !(await isReady(stage)) || Bun.peek.status(answer) !== "pending", {
      what: "an answer, or a store that fails",
    });
    free();
    outcomes.push(await answer);
    await becomesReady(stage);
    if (agent === cold) await cold.endSession();
    else await warm.ask("warm up");
  }
  return outcomes;
}

async function outcomeOf(agent: StageAgent, prompt: string): Promise<string> {
  const { status, body } = await agent.execute(prompt);
  const { code } = body as unknown as { code?: string };
  return `${status} ${code ?? body.error?.code ?? body.state}`;
}

/** What may come of a run when the disk is full at any moment of it. */
export const allowedOutcomes = ["503 store_unavailable", "502 store_error", "200 succeeded"];
