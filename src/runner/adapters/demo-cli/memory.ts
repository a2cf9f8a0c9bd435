import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Prompts of one session that are remembered, each cut to `promptChars`. */
const promptsMax = 50;
const promptChars = 500;
/** Sessions that are remembered; the oldest files go first. */
const sessionsMax = 200;

/** Session ids are UUIDs; anything else must not become a file's name. */
const sessionIdPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * What the demo agent remembers of a session, as a real CLI remembers its own: the beginnings of the last
 * 50 prompts, in one file per session below `folder`. Where that can't be written, the session ends with
 * its process.
 */
export interface Memory {
  has(sessionId: string): boolean;
  /** Oldest first. */
  recall(sessionId: string): string[];
  remember(sessionId: string, prompt: string): void;
}

export function openMemory(folder: string): Memory {
  const inProcess = new Map<string, string[]>();

  function recall(sessionId: string): string[] {
    return inProcess.get(sessionId) ?? read(fileOf(folder, sessionId)) ?? [];
  }
  return {
    has: (sessionId) => read(fileOf(folder, sessionId)) !== null,
    recall,
    remember(sessionId, prompt) {
      const prompts = [...recall(sessionId), prompt.slice(0, promptChars)].slice(-promptsMax);
      inProcess.set(sessionId, prompts);
      keep(folder, fileOf(folder, sessionId), prompts);
    },
  };
}

function fileOf(folder: string, sessionId: string): string | null {
  return sessionIdPattern.test(sessionId) ? join(folder, `${sessionId}.json`) : null;
}

function read(file: string | null): string[] | null {
  if (file === null) return null;
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return Array.isArray(value) ? value.map(String) : null;
  } catch (error) {
    // No such session, or half a file after a crash: not remembered.
    if (error instanceof SyntaxError || isFileError(error)) return null;
    throw error;
  }
}

function keep(folder: string, file: string | null, prompts: readonly string[]): void {
  if (file === null) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, JSON.stringify(prompts), { mode: 0o600 });
    if (prompts.length === 1) forgetOldest(folder);
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}

function forgetOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  if (files.length <= sessionsMax) return;
  const byAge = files.map((file) => ({ file, at: statSync(file).mtimeMs })).sort((a, b) => a.at - b.at);
  for (const { file } of byAge.slice(0, files.length - sessionsMax)) rmSync(file, { force: true });
}

/** What the file system says: no such file, no permission, read-only, full. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
