import { existsSync } from "node:fs";
import type { ContainmentRung } from "../../domain/process.ts";
import { type Containment, type ContainmentTools, type Wrapping, wrap } from "./containment.ts";
import { adviseContainment, readNamespaceLimits } from "./containment-advice.ts";
import { existingFolders } from "./start-check.ts";
import { pause } from "./until.ts";

export interface ContainmentWish {
  sandbox: "auto" | "off";
  /** Folders that no tree may see. */
  hiddenPaths: readonly string[];
  /** The server's PATH, on which the containing programs are looked up. */
  path: string;
}

const trialMsMax = 5_000;
const saidMsMax = 100;

/**
 * Finds the best rung by running a command in it, since a program may be installed and yet be refused
 * (in a container, say). Takes a few milliseconds, at most 5 s for each rung.
 */
export async function detectContainment(wish: ContainmentWish): Promise<Containment> {
  const tools = findTools(wish.path);
  const base = { tools, isRoot: process.getuid?.() === 0, sizesFolders: false };
  const { platform } = process;
  const advise = () =>
    adviseContainment({
      platform,
      sandbox: wish.sandbox,
      hasBwrap: tools.bwrap !== null,
      ...readNamespaceLimits(),
    });
  if (wish.sandbox === "off") return { ...base, ...lowest("the sandbox is switched off"), fix: advise() };
  if (platform !== "linux") return { ...base, ...lowest(`${platform} has no namespaces`), fix: advise() };
  const bwrapFailure = await tryRung({ ...base, rung: "bwrap" }, wish.hiddenPaths);
  if (bwrapFailure === null) {
    const sizesFolders = await knowsSize(tools.bwrap!);
    return { ...base, sizesFolders, rung: "bwrap", degradedBecause: null, fix: null };
  }
  const unshareFailure = await tryRung({ ...base, rung: "unshare" }, wish.hiddenPaths);
  if (unshareFailure === null)
    return { ...base, rung: "unshare", degradedBecause: bwrapFailure, fix: advise() };
  return { ...base, ...lowest(`${bwrapFailure}; ${unshareFailure}`), fix: advise() };
}

async function knowsSize(bwrap: string): Promise<boolean> {
  const help = Bun.spawn([bwrap, "--help"], {
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
    timeout: trialMsMax,
  });
  return (await new Response(help.stdout).text()).includes("--size ");
}

function lowest(reason: string): { rung: ContainmentRung; degradedBecause: string } {
  const lost = "the data directory can't be hidden and a process that leaves its group may escape";
  return { rung: "process-group", degradedBecause: `${reason}: ${lost}` };
}

function findTools(path: string): ContainmentTools {
  const find = (name: string) => Bun.which(name, { PATH: path });
  const [bwrap, unshare, setpriv] = [find("bwrap"), find("unshare"), find("setpriv")];
  return { bwrap, unshare, setpriv, mount: find("mount"), nice: find("nice") };
}

/** Null when the rung works, otherwise why it doesn't. */
async function tryRung(rung: Wrapping, hiddenPaths: readonly string[]): Promise<string | null> {
  const missing = missingProgram(rung);
  if (missing !== null) return missing;
  const hidden = existingFolders(hiddenPaths);
  const spec = { file: "/bin/sh", args: ["-c", "exit 7"], cwd: "/", hiddenPaths: hidden, statusFd: 1 };
  const { file, args } = wrap(rung, spec);
  const trial = Bun.spawn([file, ...args], {
    env: {},
    stdio: ["ignore", "ignore", "pipe"],
    timeout: trialMsMax,
    killSignal: "SIGKILL",
  });
  const stderr = new Response(trial.stderr).text();
  if ((await trial.exited) === 7) return null;
  // What a trial that was killed has left behind may hold the pipe open.
  const said = (await Promise.race([stderr, pause(saidMsMax).then(() => "")])).trim().slice(0, 200);
  return `${rung.rung} doesn't work here (${said || `it ended with ${trial.exitCode ?? trial.signalCode}`})`;
}

function missingProgram({ rung, tools }: Wrapping): string | null {
  const needed = rung === "bwrap" ? (["bwrap"] as const) : (["unshare", "setpriv", "mount"] as const);
  const missing = needed.find((name) => tools[name] === null);
  if (missing !== undefined) return `${missing} isn't installed`;
  // Without these lists a namespace's first process can't be found from outside.
  if (!existsSync(`/proc/self/task/${process.pid}/children`))
    return `the kernel lists no children of processes`;
  return null;
}
