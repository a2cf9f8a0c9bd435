import { sampleCode, sampleProse } from "../../test/helpers/sample-markdown.ts";
import { writePrompt, writerCli } from "../../test/helpers/writer-cli.ts";
import { atMost, type Figure } from "../figures.ts";
import { rssMbOf } from "../machine.ts";
import { openArena, type Stage } from "../stage.ts";
import { logIn } from "../visitor.ts";

const aimMb = 100;
/** How long the server has had nothing to do when its memory is read. */
const idleMs = 1_000;
const views = 100;

/** Memory of a server that renders its first answers, and that shows a long conversation again and again. */
export async function measurePageMemory(stage: Stage): Promise<Figure[]> {
  const { dataDir } = await stage.seededDataDir();
  const arena = await openArena(stage, { agents: 1, dataDir, env: { HEADWAY_CLAUDE_PATH: writerCli } });
  const { server } = arena;
  const visitor = await logIn(server);
  const rssNow = async () => {
    await Bun.sleep(idleMs);
    return rssMbOf(server.pid);
  };
  const answer = async (text: string) => {
    await arena.execute("agent-1", await writePrompt(server.workspace, text));
    await visitor.get("/agents/agent-1");
    return rssNow();
  };
  const idle = await rssNow();
  const withoutCode = await answer(sampleProse(1, 40));
  const withCode = await answer(`It was here:\n\n\`\`\`ts\n${sampleCode(1, "ts", 4)}\n\`\`\`\n`);
  for (let view = 0; view < views; view++) await visitor.get("/agents/long");
  const afterViews = await rssNow();
  const figure = (name: string, mb: number, note = ""): Figure => ({
    name,
    unit: "MB",
    headway: { p50: mb, p99: null },
    floor: { p50: idle, p99: null },
    judged: atMost(mb, aimMb, "MB"),
    note,
  });
  return [
    figure("RSS, first answer rendered", withoutCode, `${idleMs} ms idle; floor: before it, logged in`),
    figure("RSS, first code highlighted", withCode),
    { ...figure(`RSS, ${views} views of a long page`, afterViews), judged: null },
  ];
}
