/**
 * Installs the real CLIs that the tests drive, at the versions they were measured with, into `.clis/`
 * beside package.json: `npm run clis:install`. Nothing outside that folder is touched.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const claudeVersion = "2.1.330";

const folder = join(import.meta.dir, "..", "..", ".clis");

/**
 * The native executable lies in an optional dependency. The package's own `bin` is a link that its
 * postinstall makes, and npm 11 may not run that script, so it isn't counted on.
 */
const claudeExecutable = join(
  folder,
  "node_modules",
  "@anthropic-ai",
  `claude-code-${process.platform}-${process.arch}`,
  "claude",
);

/** Where Claude Code was installed to; null when it wasn't. */
export function realClaudePath(): string | null {
  return existsSync(claudeExecutable) ? claudeExecutable : null;
}

async function installedVersion(executable: string): Promise<string> {
  const child = Bun.spawn([executable, "--version"], { env: {}, stdout: "pipe", timeout: 30_000 });
  return (await new Response(child.stdout).text()).split(" ")[0] ?? "";
}

async function install(): Promise<string> {
  const before = realClaudePath();
  if (before !== null && (await installedVersion(before)) === claudeVersion) return before;
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: "headway-clis",
    private: true,
    dependencies: { "@anthropic-ai/claude-code": claudeVersion },
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const npm = Bun.spawn(["npm", "install", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
  const exitCode = await npm.exited;
  const after = realClaudePath();
  if (exitCode !== 0 || after === null)
    throw new Error(`npm install ended with ${exitCode}; no Claude Code in ${folder}`);
  return after;
}

if (import.meta.main) {
  console.log(await install());
}
