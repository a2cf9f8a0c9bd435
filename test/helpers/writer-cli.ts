import { join } from "node:path";

/** A fake CLI that answers with the text of a file of its folder, as slowly as it is told. */
export const writerCli = join(import.meta.dir, "..", "fixtures", "bin", "fake-claude-writer");

const file = "answer.md";

const everyMs = 10;

/** Lays the text into the folder; resolves with the prompt that makes the fake answer with it, for so long. */
export async function writePrompt(workspace: string, text: string, { seconds = 0 } = {}): Promise<string> {
  await Bun.write(join(workspace, file), text);
  if (seconds === 0) return `write=${file} chars=1000`;
  const chars = Math.ceil((text.length * everyMs) / (seconds * 1_000));
  return `write=${file} chars=${chars} every=${everyMs}`;
}
