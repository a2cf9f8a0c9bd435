import type { Adapter } from "./adapters/adapter.ts";
import { judgeVersion, type KnownCli, knownClis, tooOldMessage } from "./known-clis.ts";
import type { CliVersions } from "./process/cli-version.ts";
import type { Executable } from "./process/find-executable.ts";
import type { VersionCheck } from "./transports/start-process.ts";

export interface VersionCheckOptions {
  versions: Pick<CliVersions, "peek">;
  findExecutable(adapter: Adapter): Executable | null;
}

/** Begins to learn the versions of the CLIs that are there, so that the first turns and pages needn't wait. */
export function learnVersions(
  { versions, findExecutable }: VersionCheckOptions,
  adapters: readonly Adapter[],
): void {
  const found = adapters.flatMap((adapter) => {
    const executable = findExecutable(adapter);
    return executable ? [versions.peek(adapter.cli, executable)] : [];
  });
  // What goes wrong is told to whoever asks for that version.
  void Promise.allSettled(found);
}

/**
 * Whether the installed version of a CLI may be started. A turn waits for files at the most: while a run with
 * `--version` is still finding out, the version isn't known, and the turn goes on.
 */
export function createVersionCheck({ versions, findExecutable }: VersionCheckOptions) {
  return async (adapter: Adapter, told: string | null = null): Promise<VersionCheck> => {
    const executable = adapter.cli in knownClis ? findExecutable(adapter) : null;
    if (!executable) return { kind: "ok", cliVersion: told };
    const known = knownClis[adapter.cli as KnownCli];
    const cliVersion = told ?? (await versions.peek(adapter.cli, executable)) ?? null;
    if (cliVersion === null || judgeVersion(cliVersion, known) !== "too_old")
      return { kind: "ok", cliVersion };
    return { kind: "too_old", message: tooOldMessage(cliVersion, known) };
  };
}
