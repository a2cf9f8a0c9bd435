/** A user as whom tests run a program: the one who runs them and, if that is root, an ordinary one too. */
export interface TestUser {
  name: string;
  isRoot: boolean;
  /** What stands before a command, to have this user run it. */
  prefix: readonly string[];
}

const nobody = "65534";
const isRoot = process.getuid?.() === 0;
const asNobody = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--"];

export const users: readonly TestUser[] = [
  { name: isRoot ? "root" : "an ordinary user", isRoot, prefix: [] },
  ...(isRoot ? [{ name: "an ordinary user", isRoot: false, prefix: asNobody }] : []),
];

/** Runs a Bun script as a user, without anything of the environment but the paths, and resolves with its JSON. */
export async function runAs<T>({ prefix }: TestUser, script: string, args: readonly string[]): Promise<T> {
  const { PATH = "", CI = "" } = process.env;
  const child = Bun.spawn([...prefix, process.execPath, "--no-env-file", script, ...args], {
    cwd: "/",
    env: { PATH, CI, HOME: "/nonexistent" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${script} ended with ${child.exitCode}: ${said}`);
  return JSON.parse(said) as T;
}
