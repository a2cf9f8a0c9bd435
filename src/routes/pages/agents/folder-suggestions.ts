import type { PageDependencies } from "../page-dependencies.ts";

const foldersShownMax = 200;

/** Folders that begin with what was typed; before anything was, those right below the roots. */
export async function foldersNear(
  typed: string,
  workspaces: PageDependencies["workspaces"],
): Promise<string[]> {
  const parent = typed.slice(0, typed.lastIndexOf("/"));
  const parents = parent === "" ? workspaces.roots : [parent];
  const lists = await Promise.all(
    parents.map(async (path) =>
      ((await workspaces.listFolders(path)) ?? []).map((name) => `${path}/${name}`),
    ),
  );
  return lists
    .flat()
    .filter((folder) => folder.startsWith(typed))
    .slice(0, foldersShownMax);
}
