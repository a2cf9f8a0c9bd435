import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";

/**
 * Why the CLIs can't keep anything in the home folder; null when they can. Sign-in, settings and sessions lie
 * there, and what a CLI says when it can't write them tells nobody what is wrong.
 */
export async function findHomeTrouble(home: string | undefined): Promise<string | null> {
  if (!home) return "HOME is not set for the server, and the CLIs keep their sign-in and sessions there.";
  try {
    if (!(await stat(home)).isDirectory()) return `HOME is ${home}, which is no folder.`;
    await access(home, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const what = code === "ENOENT" || code === "ENOTDIR" ? "isn't there" : `can't be written (${code})`;
    return `HOME is ${home}, which ${what}; the CLIs keep their sign-in and sessions there.`;
  }
}
