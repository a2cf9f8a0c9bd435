import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CliKnowledge } from "./known-clis.ts";

export interface SignInTraces {
  /** The CLI's variables that hold a sign-in, among others; see `Adapter.signInVariables`. */
  variables: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Whether somebody has signed in to a CLI, as far as it shows: a key in the environment, or a file that it
 * left. Files are only looked for, never read. What lies in a keychain can't be seen; but a CLI that was never
 * started has nothing there either.
 */
export function tellSignedIn(
  { credentials, firstTrace }: Pick<CliKnowledge, "credentials" | "firstTrace">,
  { variables, environment }: SignInTraces,
): "yes" | "no" | "unknown" {
  if (variables.some((name) => /KEY|TOKEN|CREDENTIALS/.test(name) && environment[name])) return "yes";
  const home = environment.HOME;
  if (!home) return "unknown";
  if (credentials.some((path) => existsSync(join(home, path)))) return "yes";
  return firstTrace !== null && !existsSync(join(home, firstTrace)) ? "no" : "unknown";
}
