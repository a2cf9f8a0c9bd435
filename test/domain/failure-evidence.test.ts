import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { RunErrorCode } from "../../src/domain/error-codes.ts";
import type { FailureRow } from "../../src/domain/failure-row.ts";
import { classifyFailure, failureRows, type SeenFailure } from "../../src/domain/failure-taxonomy.ts";
import { createAcpAdapter } from "../../src/runner/adapters/acp-adapter.ts";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { claudeAdapter } from "../../src/runner/adapters/claude.ts";
import { droidAdapter } from "../../src/runner/adapters/droid.ts";
import { geminiAdapter } from "../../src/runner/adapters/gemini.ts";
import { play, readRecording, type Recording } from "../runner/adapters/recordings.ts";

/*
 * What the table says of CLIs, held against what CLIs printed: `recordings` are those of whole dialects,
 * `failures` were made for the table, by an API that answers with one error (the CLIs are real, the API isn't).
 */
const fixtures = join(import.meta.dir, "../fixtures");

const acpAgent = {
  name: "opencode",
  title: "opencode",
  command: "opencode",
  args: ["acp"],
  env: {},
  passEnv: [],
};
const adapters: Record<string, Adapter> = {
  claude: claudeAdapter,
  gemini: geminiAdapter,
  droid: droidAdapter,
  opencode: createAcpAdapter(acpAgent),
};

/** Known from elsewhere: each says in the table from where, and why no recording shows it. */
const unrecorded = [
  "claude-sign-in-busy",
  "claude-keychain",
  "gemini-tier-ended",
  "droid-key-unverified",
  "droid-sign-in-ended",
  "droid-usage-limit",
  "droid-overloaded",
  "droid-network",
  "acp-overloaded",
  "acp-session-unknown",
  "api-unauthorized",
  "handshake-refused",
];

/** The recorder ended the process, as our watchdog does, whose code it is then. */
const endedByUs: Record<string, RunErrorCode> = { "retries-silent": "signal", "gemini-rate-limit": "signal" };

const rows = failureRows.map((row) => [row.id, row] as const);
const recorded = rows.flatMap(([id, row]) =>
  "recordings" in row.evidence ? row.evidence.recordings.map((path) => [id, path, row] as const) : [],
);

test("every row that isn't recorded says why", () => {
  const without = rows.flatMap(([id, { evidence }]) => ("source" in evidence ? [[id, evidence.source]] : []));

  expect(without.map(([id]) => id)).toEqual(unrecorded);
  for (const [, source] of without) expect(source).toMatch(/^[A-Za-z].{20,}\.$/s);
});

test("every recording that was made for the table belongs to a row", () => {
  const made = ["claude/2.1.330", "gemini/0.61.0", "droid/0.225.2"].flatMap((folder) =>
    readdirSync(join(fixtures, "failures", folder)).map((name) => `failures/${folder}/${name}`),
  );
  const named = recorded.map(([, path]) => path).filter((path) => path.startsWith("failures/"));

  expect(made.toSorted()).toEqual(named.toSorted());
});

describe("what the CLI printed", () => {
  test.each(recorded)("is %s in %s", (id, path, row) => {
    expect(existsSync(join(fixtures, path))).toBe(true);
    const recording = readRecording(join(fixtures, path));

    if (row.traces !== undefined) {
      expect(seenIn(path, recording).map((seen) => classifyFailure(seen).id)).toContain(id);
    }
    expect(codesOf(path, recording)).toContain(codeOf(path, row));
  });
});

/** By which the adapter ends a recording's turns. */
function codesOf(path: string, recording: Recording): RunErrorCode[] {
  const { turns, unfinishedExit } = play(adapterOf(path), recording);
  const verdicts = turns.flat().flatMap((item) => (item.kind === "turn.ended" ? [item.verdict] : []));
  const failed = verdicts.flatMap((verdict) => ("code" in verdict ? [verdict.code] : []));
  return unfinishedExit === null ? failed : [...failed, unfinishedExit.code as RunErrorCode];
}

function codeOf(path: string, { id, code }: FailureRow): RunErrorCode {
  return readRecording(join(fixtures, path)).exit.signal === null ? code : (endedByUs[id] ?? code);
}

function adapterOf(path: string): Adapter {
  return adapters[path.split("/")[1] ?? ""]!;
}

/** What can be seen of a failure: each error that was printed, and the end of the process. */
function seenIn(path: string, { lines, stderr, exit }: Recording): SeenFailure[] {
  const { cli } = adapterOf(path);
  const errors = lines.map((line) => JSON.parse(line) as Printed).flatMap(errorsIn);
  const kinds = errors.map(({ kind }) => kind).filter((kind) => kind !== undefined);
  return [
    ...errors.map(({ text, httpStatus }) => ({ cli, httpStatus, text: `${kinds.join(" ")} ${text}`.trim() })),
    { cli, text: stderr, exitCode: exit.exitCode },
  ];
}

interface PrintedError {
  text: string;
  httpStatus: number | null;
  kind?: string;
}

function errorsIn(line: Printed): PrintedError[] {
  const { type, message, result, errors, error, params } = line;
  // Claude Code tells the kind apart from the text.
  if (type === "assistant" && typeof error === "string") return [{ text: "", httpStatus: null, kind: error }];
  const { message: words, data } = typeof error === "object" && error !== null ? error : {};
  const answer = [words, data?.details].filter(Boolean).join("\n");
  const said = [errors?.join("\n"), result, message, answer, params?.notification?.message];
  const text = said.find((one) => typeof one === "string" && one !== "");
  return typeof text === "string" ? [{ text, httpStatus: line.api_error_status ?? null }] : [];
}

interface Printed {
  type?: string;
  message?: unknown;
  result?: unknown;
  errors?: string[];
  error?: string | { message?: string; data?: { details?: string } } | null;
  api_error_status?: number | null;
  params?: { notification?: { message?: unknown } };
}
