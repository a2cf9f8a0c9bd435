import { expect } from "bun:test";
import fc from "fast-check";
import { type RunErrorCode, runErrorCodes } from "../../src/domain/error-codes.ts";
import type { Decoded, Dialect } from "../../src/runner/adapters/adapter.ts";
import { verdicts } from "./decoded.ts";
import type { Said } from "./dialect-case.ts";
import { keeps, open, openFor, playSaid, playTurn, type Subject } from "./keeping.ts";
import type { Rehearsal } from "./script.ts";

const codes = ["auth_required", "rate_limited", "overloaded", "cli_error", "session_lost"] as const;
const messageCharsMax = 2000;

export function promisesAboutErrors(subject: Subject): void {
  for (const code of codes) {
    keeps(subject, code, () => {
      const said = subject.specimen(code);
      const rehearsal = openFor(subject, said, { resume: code === "session_lost" });

      const failure = failureOf(subject.dialect, rehearsal, said, playSaid(subject, rehearsal, said));

      expect(failure?.code).toBe(code);
      expect(failure?.message).toMatch(/^\S[^]*$/);
      expect(failure!.message.length).toBeLessThanOrEqual(messageCharsMax);
      if (code === "cli_error") expect(isSaid(failure!.message, rehearsal, said)).toBe(true);
    });
  }

  keeps(subject, "handshake", () => {
    const rehearsal = open(subject);

    rehearsal.begin("hello");
    const decoded = rehearsal.say(subject.specimen("handshake").lines);

    const [verdict] = verdicts(decoded);
    expect(verdict?.kind).toBe("unready");
    expect(runErrorCodes).toContain((verdict as { code: RunErrorCode }).code);
    expect(rehearsal.dialogue.prompted).toBe(false);
  });

  keeps(subject, "unknown", () => {
    const { line } = subject.specimen("unknown");
    const turn = subject.specimen("turn");
    const rehearsal = open(subject);

    const decoded = playSaid(subject, rehearsal, { ...turn, lines: [line, line, ...turn.lines] });

    expect(decoded.filter((one) => one.kind === "anomaly")).toMatchObject([
      { code: "unknown_event" },
      { code: "unknown_event" },
    ]);
    expect(decoded.filter(isNotice("unknown_event"))).toHaveLength(1);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
  });

  keeps(subject, "exits", () => {
    const exits = fc.record({
      exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
      signal: fc.option(fc.constantFrom("SIGKILL", "SIGSEGV")),
      stderrTail: fc.string({ maxLength: 9000 }),
      printed: fc.boolean(),
    });
    fc.assert(
      fc.property(exits, (exit) => {
        const { code, message } = subject.dialect.explainExit(exit);
        expect(runErrorCodes).toContain(code);
        expect(message.length > 0 && message.length <= messageCharsMax).toBe(true);
      }),
    );
    expect(verdicts(playTurn(subject, "turn"))).toHaveLength(1);
  });
}

/** By which code and words a turn failed: by its terminal event, or without one by its process's end. */
export function failureOf(
  dialect: Dialect,
  { lines }: Pick<Rehearsal, "lines">,
  { stderr = "", exit }: Pick<Said, "stderr" | "exit">,
  decoded: readonly Decoded[],
): { code: RunErrorCode; message: string } | null {
  const [verdict] = verdicts(decoded);
  if (verdict) return verdict.kind === "failed" ? verdict : null;
  const ended = exit ?? { exitCode: 1, signal: null };
  return dialect.explainExit({ ...ended, stderrTail: stderr, printed: lines.length > 0 });
}

/** Most words of the message were the CLI's. */
function isSaid(message: string, { lines }: Rehearsal, { stderr = "" }: Said): boolean {
  const said = `${lines.join("\n")}\n${stderr}`;
  const words = message.split(/\s+/).filter(Boolean);
  return words.filter((word) => said.includes(JSON.stringify(word).slice(1, -1))).length * 2 > words.length;
}

function isNotice(code: string) {
  return (one: Decoded) => one.kind === "event" && one.event.type === "notice" && one.event.code === code;
}
