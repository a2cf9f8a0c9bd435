import { expect } from "bun:test";
import type { PermissionMode } from "../../src/domain/agent.ts";
import type { RunEventBody } from "../../src/domain/event.ts";
import type { Decoded } from "../../src/runner/adapters/adapter.ts";
import { anomalyCodes, answerOf, eventsOf, inputsOf, verdicts } from "./decoded.ts";
import { baseSpec, keeps, open, openFor, playSaid, playTurn, type Subject } from "./keeping.ts";
import type { Rehearsal } from "./script.ts";

export function promisesAboutTurns(subject: Subject): void {
  oneTurnIsRead(subject);
  toolsAreTold(subject);
  turnsAreStopped(subject);
  questionsAreAnswered(subject);
  twoTurnsAreKeptApart(subject);
  staleOutputIsKeptOut(subject);
}

function oneTurnIsRead(subject: Subject): void {
  keeps(subject, "turn", () => {
    const decoded = playTurn(subject, "turn");

    expect(answerOf(decoded)).toBe(subject.specimen("turn").answer);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
  });

  keeps(subject, "session", () => {
    const decoded = playTurn(subject, "turn");

    const named = eventsOf(decoded, "session").map(({ cliSessionId }) => cliSessionId);
    expect(named).toEqual([subject.specimen("sessionId")]);
    expect(decoded.filter(({ kind }) => kind === "session.mismatch")).toEqual([]);
  });

  keeps(subject, "version", () => {
    const decoded = playTurn(subject, "turn");

    const versions = decoded.flatMap((one) => (one.kind === "version" ? [one.cliVersion] : []));
    expect(versions).toEqual([subject.case.cliVersion]);
  });

  keeps(subject, "thinking", () => {
    const { answer, thoughts } = subject.specimen("thinking");

    const decoded = playTurn(subject, "thinking");

    const told = eventsOf(decoded, "thinking").map(({ text }) => text);
    expect(told.join("")).toBe(thoughts);
    expect(answerOf(decoded)).toBe(answer);
  });

  keeps(subject, "brokenStream", () => {
    const decoded = playTurn(subject, "brokenStream");

    expect(eventsOf(decoded, "text.discarded")).not.toEqual([]);
    expect(answerOf(decoded)).toBe(subject.specimen("brokenStream").answer);
    expect(verdicts(decoded)).toHaveLength(1);
  });

  keeps(subject, "usage", () => {
    const rehearsal = open(subject);
    const { turn, second } = subject.specimen("usage");

    const told = [usagesOf(playSaid(subject, rehearsal, subject.specimen("turn")))];
    if (second) told.push(usagesOf(nextTurn(rehearsal, subject.specimen("second").lines)));

    expect(told).toMatchObject(second ? [[turn], [second]] : [[turn]]);
    expect(
      told
        .flat()
        .flatMap((usage) => Object.values(usage))
        .every(isCount),
    ).toBe(true);
    expect(told[0]?.[0]?.outputTokens).toBeGreaterThan(0);
  });
}

function usagesOf(decoded: readonly Decoded[]) {
  return decoded.flatMap((one) => (one.kind === "usage" ? [one.usage] : []));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function nextTurn(rehearsal: Rehearsal, lines: Parameters<Rehearsal["say"]>[0]): Decoded[] {
  return [...rehearsal.begin("and then?"), ...rehearsal.say(lines)];
}

function toolsAreTold(subject: Subject): void {
  keeps(subject, "tool", () => {
    const decoded = playTurn(subject, "tool");

    const [started, finished] = toolEvents(decoded);
    expect(decoded.filter(isOf("tool.started", "tool.finished"))).toHaveLength(2);
    expect(finished).toMatchObject({ toolId: started?.toolId, isError: false });
    expect(decoded.findIndex(isOf("tool.started"))).toBeLessThan(decoded.findIndex(isOf("tool.finished")));
    expect(answerOf(decoded)).toBe(subject.specimen("tool").answer);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
  });

  keeps(subject, "failedTool", () => {
    const decoded = playTurn(subject, "failedTool");

    const [started, finished] = toolEvents(decoded);
    expect(finished).toMatchObject({ toolId: started?.toolId, isError: true });
    expect(verdicts(decoded).length).toBeLessThan(2);
  });
}

function toolEvents(decoded: readonly Decoded[]) {
  return [eventsOf(decoded, "tool.started")[0], eventsOf(decoded, "tool.finished")[0]] as const;
}

function isOf(...types: RunEventBody["type"][]) {
  return (one: Decoded) => one.kind === "event" && types.includes(one.event.type);
}

function turnsAreStopped(subject: Subject): void {
  keeps(subject, "interrupt", () => {
    const { before, after } = subject.specimen("interrupt");
    const rehearsal = open(subject);
    const running = playSaid(subject, rehearsal, { lines: before });

    rehearsal.interrupt();
    const stopped = rehearsal.say(after);

    expect(rehearsal.inputs.at(-1)).toMatch(/^(?:[^\n]+\n)+$/);
    expect(verdicts(running)).toEqual([]);
    expect(verdicts(stopped)).toEqual([{ kind: "aborted" }]);
  });
}

function questionsAreAnswered(subject: Subject): void {
  for (const mode of ["read", "edit", "full"] satisfies PermissionMode[]) {
    const detail = `: ${mode}`;
    keeps(
      subject,
      "permission",
      () => {
        const { questions, answerIn } = subject.specimen("permission");

        const answered = questions.map(({ what, lines }) => {
          const decoded = playSaid(subject, open(subject, { permissionMode: mode }), { lines });
          const answers = inputsOf(decoded)
            .map(answerIn)
            .filter((answer) => answer !== null);
          return { what, answers, denials: noticesOf(decoded, "permission_denied") };
        });

        const expected = questions.map(({ what, granted }) =>
          granted[mode]
            ? { what, answers: ["granted"], denials: 0 }
            : { what, answers: ["refused"], denials: 1 },
        );
        expect(answered as unknown).toEqual(expected);
      },
      detail,
    );
  }
}

function noticesOf(decoded: readonly Decoded[], code: string): number {
  return eventsOf(decoded, "notice").filter((notice) => notice.code === code).length;
}

function twoTurnsAreKeptApart(subject: Subject): void {
  keeps(subject, "second", () => {
    const rehearsal = open(subject);
    playSaid(subject, rehearsal, subject.specimen("turn"));

    const decoded = nextTurn(rehearsal, subject.specimen("second").lines);

    expect(answerOf(decoded)).toBe(subject.specimen("second").answer);
    expect(eventsOf(decoded, "text")[0]?.block).toBe(0);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
    expect(rehearsal.dialogue.prompted).toBe(true);
  });

  keeps(subject, "resume", () => {
    const said = subject.specimen("resume");
    const sessionId = said.sessionId ?? subject.specimen("sessionId");
    const resumed = openFor(subject, said, { resume: true });
    const begun = openFor(subject, said);

    const decoded = playSaid(subject, resumed, said);
    begun.begin("hello");

    expect(answerOf(decoded)).toBe(said.answer);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
    const told = toldOf(subject, resumed, { sessionId, resume: true });
    expect(told).toContain(sessionId);
    expect(told).not.toBe(toldOf(subject, begun, { sessionId, resume: false }));
  });

  keeps(subject, "history", () => {
    const { replayed } = subject.specimen("history");
    const rehearsal = openFor(subject, subject.specimen("resume"), { resume: true });

    const decoded = playSaid(subject, rehearsal, subject.specimen("resume"));

    const text = [...eventsOf(decoded, "text"), ...eventsOf(decoded, "thinking")].map((event) => event.text);
    expect(rehearsal.lines.join("\n")).toContain(JSON.stringify(replayed).slice(1, -1));
    expect(text.join("")).not.toContain(replayed);
  });
}

/** Everything by which the CLI learns which session is meant. */
function toldOf(
  { dialect }: Subject,
  { inputs }: Rehearsal,
  session: { sessionId: string; resume: boolean },
): string {
  const { args } = dialect.command({ ...baseSpec, ...session });
  return JSON.stringify([args, inputs]);
}

function staleOutputIsKeptOut(subject: Subject): void {
  keeps(subject, "stale", () => {
    const rehearsal = open(subject);
    playSaid(subject, rehearsal, subject.specimen("turn"));

    const late = rehearsal.say(linesOfTurn(subject, rehearsal));

    expect(late.filter((one) => one.kind === "event" || one.kind === "turn.ended")).toEqual([]);
    expect(anomalyCodes(late)).toContain("output_after_result");
  });

  keeps(subject, "secondResult", () => {
    const rehearsal = open(subject);
    const last = lineThatEnds(subject, rehearsal);

    const late = rehearsal.say([last]);

    expect(anomalyCodes(late)).toEqual(["duplicate_result"]);
    expect(late.some(({ kind }) => kind === "retire")).toBe(true);
    expect(verdicts(late)).toEqual([]);
  });

  keeps(subject, "leftovers", () => {
    const rehearsal = open(subject);
    playSaid(subject, rehearsal, subject.specimen("turn"));
    const left = linesOfTurn(subject, rehearsal).slice(-3);
    rehearsal.begin("and then?");

    const stale = rehearsal.say(left);
    const decoded = rehearsal.say(subject.specimen("second").lines);

    expect(stale.filter((one) => one.kind === "event" || one.kind === "turn.ended")).toEqual([]);
    expect(answerOf(decoded)).toBe(subject.specimen("second").answer);
    expect(verdicts(decoded)).toHaveLength(1);
  });
}

/** The turn's lines as they were said, without the opening's. */
function linesOfTurn(subject: Subject, { lines }: Rehearsal): readonly string[] {
  return lines.slice(-subject.specimen("turn").lines.length);
}

/** Plays a whole turn, and tells which of its lines was the one that ended it. */
function lineThatEnds(subject: Subject, rehearsal: Rehearsal): string {
  const { lines, ...rest } = subject.specimen("turn");
  playSaid(subject, rehearsal, { ...rest, lines: [] });
  const said = lines.map((line) => ({ decoded: rehearsal.say([line]), line: rehearsal.lines.at(-1) }));
  const last = said.find(({ decoded }) => verdicts(decoded).length > 0)?.line;
  if (last === undefined) throw new Error("No line of this turn ends it.");
  return last;
}
