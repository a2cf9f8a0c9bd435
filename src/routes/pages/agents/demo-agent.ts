import { agentInputSchema } from "../../../domain/agent.ts";
import type { PageDependencies } from "../page-dependencies.ts";

/** How many names are tried for the agent and for its folder. */
const namesMax = 50;

/** A demo agent in a fresh folder, both called "demo" or the first such name with a number that is free. */
export async function createDemoAgent({
  runner,
  workspaces,
}: Pick<PageDependencies, "runner" | "workspaces">): ReturnType<typeof runner.createAgent> {
  const names = Array.from({ length: namesMax }, (_, index) => (index === 0 ? "demo" : `demo-${index + 1}`));
  const id = names.find((name) => runner.getAgent(name) === null);
  const folder = await makeFirstFolder(workspaces, names);
  if (folder.kind === "refused") return { kind: "refused", code: "invalid", detail: folder.message };
  if (id === undefined) {
    return { kind: "refused", code: "invalid", detail: "There are too many demo agents." };
  }
  return runner.createAgent(agentInputSchema.parse({ id, cli: "demo", cwd: folder.realPath }));
}

async function makeFirstFolder(workspaces: PageDependencies["workspaces"], names: readonly string[]) {
  const [root = ""] = workspaces.roots;
  const taken = new Set(await workspaces.listFolders(root));
  const name = names.map((candidate) => `headway-${candidate}`).find((candidate) => !taken.has(candidate));
  return workspaces.makeFolder(root, name ?? "headway-demo");
}
