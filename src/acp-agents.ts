import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { type AcpAgentConfig, acpAgentsFile, acpAgentsSchema } from "./domain/acp-agent.ts";

const fileBytesMax = 1_048_576;

export type AcpAgentsOutcome =
  { kind: "ok"; agents: readonly AcpAgentConfig[] } | { kind: "bad"; message: string };

/** The ACP agents of a data directory, read once at a start; none where there is no file. Nothing here ever writes it. */
export function readAcpAgents(dataDir: string): AcpAgentsOutcome {
  const path = join(dataDir, acpAgentsFile);
  try {
    const found = statSync(path);
    if (!found.isFile()) return bad(`${path} is no file; allowed is a file that Headway's user may read.`);
    if (found.size > fileBytesMax) return bad(`${path} is too long; allowed are ${fileBytesMax} bytes.`);
    return parseAcpAgents(path, readFileSync(path, "utf8"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { kind: "ok", agents: [] };
    if (code === undefined) throw error;
    return bad(`${path} can't be read (${code}); allowed is a file that Headway's user may read.`);
  }
}

function parseAcpAgents(path: string, text: string): AcpAgentsOutcome {
  const json = parseJson(text);
  if (json === undefined) return bad(`${path} is no JSON; allowed is an object of ACP agents by name.`);
  const parsed = acpAgentsSchema.safeParse(json);
  return parsed.success ? { kind: "ok", agents: parsed.data } : bad(badPlace(path, parsed.error.issues[0]!));
}

/** JSON has no `undefined`, so that stands for text that isn't JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** One line that names the file, the place and what is allowed; never a value, which may be a key. */
function badPlace(file: string, issue: z.core.$ZodIssue): string {
  const keys = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const place = [...issue.path, ...keys].map((part) => JSON.stringify(part)).join(" → ");
  const allowed = issue.code === "invalid_key" ? issue.issues[0]!.message : issue.message;
  return `${file}${place === "" ? "" : `, at ${place}`}: allowed is ${allowed}.`;
}

function bad(message: string): AcpAgentsOutcome {
  return { kind: "bad", message };
}

/** What their entries give as variables, under names of their own: values of secret ones are to be masked too. */
export function acpAgentVariables(agents: readonly AcpAgentConfig[]): Record<string, string> {
  return Object.fromEntries(
    agents.flatMap(({ name, env }) =>
      Object.entries(env).map(([variable, value]) => [`${acpAgentsFile}:${name}:${variable}`, value]),
    ),
  );
}
