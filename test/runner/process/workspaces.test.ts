import { expect, test } from "bun:test";
import { mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorkspaces } from "../../../src/runner/process/workspaces.ts";
import { temporaryFolder } from "./harness.ts";

/** A machine in small: a home with projects, and Headway installed beside them. */
function openHome() {
  const folder = temporaryFolder();
  const home = realpathSync(folder.path);
  for (const name of ["project/src", "headway/data", "headway-notes", ".hidden", "elsewhere"])
    mkdirSync(join(home, name), { recursive: true });
  writeFileSync(join(home, "file.txt"), "");
  const workspaces = createWorkspaces({
    roots: [home],
    homeFolder: home,
    dataFolder: join(home, "headway/data"),
    installationFolder: join(home, "headway"),
  });
  return { home, workspaces, [Symbol.dispose]: folder[Symbol.dispose] };
}

test("a folder below a root is taken by its real path", async () => {
  using machine = openHome();
  symlinkSync(join(machine.home, "project"), join(machine.home, "link"));

  const checks = await Promise.all(
    ["project", "project/src/../src/", "link/src", "headway-notes"].map((name) =>
      machine.workspaces.check(join(machine.home, name)),
    ),
  );

  expect(checks.map((check) => check.kind === "ok" && check.realPath.slice(machine.home.length))).toEqual([
    "/project",
    "/project/src",
    "/project/src",
    "/headway-notes",
  ]);
});

test("a root that isn't the home folder may itself be an agent's folder", async () => {
  using machine = openHome();
  const root = join(machine.home, "project");
  const workspaces = createWorkspaces({
    roots: [root, join(machine.home, "missing")],
    homeFolder: machine.home,
    dataFolder: "/nowhere/data",
    installationFolder: "/nowhere",
  });

  expect(workspaces.roots).toEqual([root]);
  expect(await workspaces.check(root)).toEqual({ kind: "ok", realPath: root });
  expect(await workspaces.check(machine.home)).toMatchObject({ kind: "refused" });
});

test("what lies outside the roots is refused, also through links, dots and look-alike names", async () => {
  using machine = openHome();
  const root = join(machine.home, "project");
  mkdirSync(join(machine.home, "projectEvil"));
  symlinkSync(machine.home, join(root, "up"));
  symlinkSync("/etc", join(root, "etc"));
  const workspaces = createWorkspaces({
    roots: [root],
    homeFolder: "/nowhere",
    dataFolder: "/nowhere/data",
    installationFolder: "/nowhere/installation",
  });

  const checks = await Promise.all(
    ["../projectEvil", "..", "up", "up/elsewhere", "etc", "src/../../elsewhere"].map((name) =>
      workspaces.check(`${root}/${name}`),
    ),
  );

  expect(checks.map((check) => check.kind)).toEqual(Array(6).fill("refused"));
});

test("the root of the file system, home and Headway's own folders are refused, whatever the roots", async () => {
  using machine = openHome();
  symlinkSync(join(machine.home, "headway/data"), join(machine.home, "project/data"));
  const workspaces = createWorkspaces({
    roots: ["/"],
    homeFolder: machine.home,
    dataFolder: join(machine.home, "elsewhere"),
    installationFolder: join(machine.home, "headway"),
  });

  const checks = await Promise.all(
    ["/", "", "/headway", "/headway/data", "/project/data", "/elsewhere"].map((name) =>
      workspaces.check(name === "/" ? name : machine.home + name),
    ),
  );

  expect(checks.map((check) => check.kind)).toEqual(Array(6).fill("refused"));
  expect(await workspaces.check(join(machine.home, "project"))).toMatchObject({ kind: "ok" });
});

test("what is no folder is refused with the reason", async () => {
  using machine = openHome();
  symlinkSync(join(machine.home, "loop"), join(machine.home, "loop"));
  const paths = ["file.txt", "missing", "file.txt/x", "loop", "x".repeat(300)];

  const checks = await Promise.all([
    ...paths.map((name) => machine.workspaces.check(join(machine.home, name))),
    machine.workspaces.check("project"),
    machine.workspaces.check(`${machine.home}/project\0`),
  ]);

  expect(checks.map((check) => check.kind === "refused" && check.message)).toEqual([
    "This isn't a folder.",
    "This folder can't be used: it doesn't exist.",
    "This folder can't be used: a part of its path isn't a folder.",
    "This folder can't be used: its links go in a circle.",
    "This folder can't be used: its name is too long.",
    "A folder is named by an absolute path.",
    "A folder is named by an absolute path.",
  ]);
});

test("folders are listed by name, without hidden ones, files and Headway's own", async () => {
  using machine = openHome();

  const listed = await machine.workspaces.listFolders(machine.home);

  expect(listed).toEqual(["elsewhere", "headway-notes", "project"]);
});

test("at most 200 folders are listed", async () => {
  using machine = openHome();
  for (let number = 0; number < 210; number += 1) mkdirSync(join(machine.home, `project/${number}`));

  expect(await machine.workspaces.listFolders(join(machine.home, "project"))).toHaveLength(200);
});

test("nothing is listed outside the roots or in Headway's own folders", async () => {
  using machine = openHome();

  const lists = await Promise.all(
    ["/etc", join(machine.home, "headway"), join(machine.home, "missing"), `${machine.home}/..`].map((path) =>
      machine.workspaces.listFolders(path),
    ),
  );

  expect(lists).toEqual([null, null, null, null]);
});

test("a folder is made below a root, readable by others, and only once", async () => {
  using machine = openHome();

  const made = await machine.workspaces.makeFolder(machine.home, "new project");
  const again = await machine.workspaces.makeFolder(machine.home, "new project");

  expect(made).toEqual({ kind: "ok", realPath: join(machine.home, "new project") });
  expect(statSync(join(machine.home, "new project")).mode & 0o777).toBe(0o755);
  expect(again).toEqual({ kind: "refused", message: "The folder can't be made: it exists already." });
});

test("a name that would lead elsewhere, and a place that isn't for agents, are refused", async () => {
  using machine = openHome();
  const names = ["..", ".", "", "a/b", "/etc", ".hidden", "a\0b", "a\nb", " ", "x".repeat(101)];

  const byName = await Promise.all(names.map((name) => machine.workspaces.makeFolder(machine.home, name)));
  const byPlace = await Promise.all(
    ["/etc", join(machine.home, "headway"), join(machine.home, "file.txt")].map((place) =>
      machine.workspaces.makeFolder(place, "fine"),
    ),
  );

  expect([...byName, ...byPlace].map((made) => made.kind)).toEqual(Array(13).fill("refused"));
});
