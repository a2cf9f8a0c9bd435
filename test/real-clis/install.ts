/**
 * Installs the real CLIs that the tests drive, at the versions they were measured with, into `.clis/`
 * beside package.json: `npm run clis:install`. Nothing outside that folder is touched.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const realClis = ["claude", "gemini", "droid", "opencode"] as const;
export type RealCli = (typeof realClis)[number];

interface Package {
  name: string;
  version: string;
  /** Below the package's folder. */
  executable: string;
  /** The package that holds the executable, where that isn't the one which is asked for. */
  holder?: string;
}

const machine = `${process.platform}-${process.arch}`;

/**
 * The native executables lie in packages for one kind of machine. The links that postinstall scripts make
 * aren't counted on, since npm 11 may not run those.
 */
const packages: Record<RealCli, Package> = {
  claude: {
    name: "@anthropic-ai/claude-code",
    version: "2.1.330",
    executable: "claude",
    holder: `@anthropic-ai/claude-code-${machine}`,
  },
  gemini: { name: "@google/gemini-cli", version: "0.61.0", executable: "bundle/gemini.js" },
  // Its npm wrapper asks for a package of 0.225.1 that isn't in the registry.
  droid: { name: `@factory/cli-${machine}`, version: "0.225.2", executable: "bin/droid" },
  opencode: {
    name: "opencode-ai",
    version: "1.18.33",
    executable: "bin/opencode",
    holder: `opencode-${machine}`,
  },
};

const folder = join(import.meta.dir, "..", "..", ".clis");

export function realCliVersion(cli: RealCli): string {
  return packages[cli].version;
}

/** Where a CLI was installed to; null when it wasn't. */
export function realCliPath(cli: RealCli): string | null {
  const { name, holder = name, executable } = packages[cli];
  const path = join(folder, "node_modules", holder, executable);
  return existsSync(path) ? path : null;
}

/** False on a machine without the CLI; where a person's work is judged (CI=true) that's a failure. */
export function isInstalled(cli: RealCli): boolean {
  const installed = realCliPath(cli) !== null;
  if (!installed && process.env["CI"] === "true") {
    throw new Error(`${cli} isn't installed: run \`npm run clis:install\`.`);
  }
  return installed;
}

function installedVersion(cli: RealCli): string | null {
  const manifest = join(folder, "node_modules", packages[cli].name, "package.json");
  if (!existsSync(manifest)) return null;
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

function isComplete(): boolean {
  return realClis.every(
    (cli) => installedVersion(cli) === packages[cli].version && realCliPath(cli) !== null,
  );
}

async function install(): Promise<void> {
  if (isComplete()) return;
  mkdirSync(folder, { recursive: true });
  const wanted = Object.values(packages).map(({ name, version }) => [name, version]);
  const manifest = { name: "headway-clis", private: true, dependencies: Object.fromEntries(wanted) };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const npm = Bun.spawn(["npm", "install", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
  const exitCode = await npm.exited;
  if (exitCode !== 0 || !isComplete()) {
    throw new Error(`npm install ended with ${exitCode}; not all CLIs are in ${folder}`);
  }
}

if (import.meta.main) {
  await install();
  for (const cli of realClis) console.log(`${cli} ${packages[cli].version} ${realCliPath(cli)}`);
}
