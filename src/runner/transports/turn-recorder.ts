import type { Clock } from "../../domain/clock.ts";
import {
  allText,
  emptyAnswer,
  finalText,
  foldAnswer,
  type NoticeCode,
  type RunEventBody,
} from "../../domain/event.ts";
import type { ClaimedRun, RunLog, RunNote } from "../../domain/ports.ts";
import type { Anomaly, Usage } from "../../domain/run.ts";
import type { Decoded, Dialogue, Verdict } from "../adapters/adapter.ts";
import type { RunLogFile } from "../process/log-file.ts";
import { createTextLines } from "../process/text-lines.ts";
import { pieceCharsMin } from "../policies/find-forms.ts";
import type { Redactor } from "../policies/redaction.ts";
import type { Wakeups } from "../runner-api.ts";
import { createEventWriter } from "./event-writer.ts";

/** Longest text of one event. */
const textEventCharsMax = 16_384;
/** What a CLI says on stderr about its turn ("Attempt 3 failed…") stands at the beginning of a line. */
const stderrLineCharsMax = 4_096;
/** How much may be taken while a commit is under way; what is more stays in the pipe. */
const aheadCharsMax = 1_048_576;

export interface RecorderOptions {
  run: ClaimedRun;
  log: RunLog;
  wakeups: Wakeups;
  redactor: Redactor;
  rawLog: RunLogFile;
  clock: Clock;
  eventLimit: number;
  sessionFingerprint: string;
  hooks: RecorderHooks;
}

export interface RecorderHooks {
  firstOutput(): void;
  toolsOpen(count: number): void;
  /** The CLI named its version; not every one does, and some only when they start. */
  versionTold(cliVersion: string): void;
  /** What the CLI has started by now is its own (MCP servers) and stays. */
  helpersKept(ageMsMin?: number): void;
  /** To be written to the CLI's input. */
  write(input: string): void;
  turnEnded(verdict: Verdict): void;
  /** The process may not carry another turn. */
  retire(reason: string): void;
  anomaly(code: string, detail: string): void;
  storeFailed(message: string): void;
}

/** Turns what a CLI prints into the run's event log, in order, redacted and bounded. */
export interface TurnRecorder {
  /** Begins the turn in this process: from now on its lines are heard. A run that has to start over begins again. */
  begin(dialogue: Dialogue, prompt: string): void;
  /** Of the executable, which not every CLI tells by itself. */
  cliVersion(version: string): void;
  /** Null, or what is to be waited for before more is read: the store has to catch up. */
  lines(lines: readonly string[]): Promise<void> | null;
  stderr(text: string): void;
  anomaly(code: string, message: string): void;
  notice(code: NoticeCode, message: string): void;
  /** Nothing more is taken; resolves with what the settlement has to write. */
  finish(): Promise<Recorded>;
  readonly printed: boolean;
  /** True once a part of an answer, a thought or a tool call came: from then on a turn can't be begun anew. */
  readonly spoke: boolean;
}

export interface Recorded {
  /** Not committed yet. */
  lastEvents: RunEventBody[];
  note: RunNote | null;
  allText: string;
  finalText: string;
  usage: Usage | null;
  costUsd: number | null;
  toolNames: string[];
  anomalies: Anomaly[];
  cliVersion: string | null;
  /** The CLI began a new session by itself: our conversation ends with this turn. */
  sessionReset: boolean;
}

export function createTurnRecorder(options: RecorderOptions): TurnRecorder {
  const { redactor, hooks } = options;
  const answer = emptyAnswer();
  /** One for all blocks: a value may be begun in one and ended in the next. */
  const redactions = { text: redactor.stream(), thinking: redactor.stream() };
  const anomalies = new Map<string, number>();
  const toolNames = new Set<string>();
  const openTools = new Set<string>();
  const writer = createEventWriter({
    ...options,
    onFailure: hooks.storeFailed,
    onSessionTaken: refuseSession,
  });
  const stderrLines = createTextLines(stderrLineCharsMax);
  let dialogue: Dialogue | null = null;
  let usage: Usage | null = null;
  let costUsd: number | null = null;
  let cliVersion: string | null = null;
  let printed = false;
  let spoke = false;
  let closed = false;
  let sessionReset = false;
  let ended = false;
  /** Taken since nothing was left to commit. */
  let aheadChars = 0;
  let stream: { type: "text" | "thinking"; block: number } | null = null;

  function emit(event: RunEventBody): void {
    foldAnswer(answer, event);
    writer.write(event);
  }
  function emitText(type: "text" | "thinking", block: number, text: string): void {
    for (const piece of piecesOf(text))
      emit(type === "text" ? { type, text: piece, block } : { type, text: piece });
  }
  function endStream(): void {
    if (!stream) return;
    emitText(stream.type, stream.block, redactions[stream.type].end());
    stream = null;
  }
  /** True when there is no part of a secret in it that is worth the name, so that the raw line may be kept as it is. */
  function takePiece(type: "text" | "thinking", block: number, piece: string): boolean {
    if (!stream || stream.type !== type || stream.block !== block) {
      endStream();
      stream = { type, block };
    }
    const redaction = redactions[type];
    const before = redaction.heldChars;
    const shown = redaction.push(piece);
    emitText(type, block, shown);
    const isWhole = shown.length === before + piece.length - redaction.heldChars;
    const isPlain = isWhole && Math.max(before, redaction.heldChars) < pieceCharsMin;
    if (!isPlain) options.rawLog.line(`… ${type}, redacted: ${JSON.stringify(shown)}`);
    return isPlain;
  }
  function takeEvent(event: RunEventBody): boolean {
    spoke ||= event.type === "text" || event.type === "thinking" || event.type === "tool.started";
    if (event.type === "text") return takePiece("text", event.block, event.text);
    if (event.type === "thinking") return takePiece("thinking", 0, event.text);
    endStream();
    const redacted = redactEvent(event, redactor);
    noteTools(redacted);
    if (redacted.type === "session") noteSession(redacted.cliSessionId, redacted.model);
    emit(redacted);
    return true;
  }
  function noteTools(event: RunEventBody): void {
    if (event.type === "tool.started") {
      toolNames.add(event.name);
      openTools.add(event.toolId);
      hooks.toolsOpen(openTools.size);
    } else if (event.type === "tool.finished") {
      openTools.delete(event.toolId);
      hooks.toolsOpen(openTools.size);
    }
  }
  function noteSession(cliSessionId: string, model: string | null): void {
    const sessionBegun = { cliSessionId, fingerprint: options.sessionFingerprint };
    writer.note({ sessionBegun, ...(model === null ? {} : { model }) });
  }
  function noteVersion(version: string): void {
    if (cliVersion !== version) writer.note({ cliVersion: version });
    cliVersion = version;
  }
  /** Two conversations in one session would hear each other; this process is no good for a further turn. */
  function refuseSession(): void {
    if (closed) return;
    takeAnomaly(
      "session_mismatch",
      "The CLI named a session that another conversation holds; it was not adopted.",
    );
    hooks.retire("its session is another conversation's");
  }
  function countAnomaly(code: string, detail: string): number {
    const count = (anomalies.get(code) ?? 0) + 1;
    anomalies.set(code, count);
    hooks.anomaly(code, redactor.log(detail));
    return count;
  }
  function takeAnomaly(code: string, message: string): void {
    if (countAnomaly(code, message) === 1 && isNotice(code)) takeEvent({ type: "notice", code, message });
  }
  function takeUsage(turnUsage: Usage, turnCostUsd: number | null): void {
    usage = turnUsage;
    costUsd = turnCostUsd;
    takeEvent({ type: "usage", ...turnUsage, costUsd: turnCostUsd });
  }
  function isEmptyAnswer(verdict: Verdict): boolean {
    if (verdict.kind !== "succeeded" || verdict.byCliItself) return false;
    return verdict.result === "" && finalText(answer) === "";
  }
  /** Answers whether the line may stand in the raw log as it came. */
  function take(decoded: Decoded): boolean {
    switch (decoded.kind) {
      case "event":
        return takeEvent(decoded.event);
      case "version":
        noteVersion(redactor.text(decoded.cliVersion));
        hooks.versionTold(redactor.text(decoded.cliVersion));
        return true;
      case "session.mismatch":
        takeAnomaly(
          "session_mismatch",
          `The CLI named another session (${decoded.cliSessionId}); ours is kept.`,
        );
        return true;
      case "anomaly":
        takeAnomaly(decoded.code, decoded.detail);
        return true;
      case "usage":
        takeUsage(decoded.usage, decoded.costUsd);
        return true;
      case "helpers.kept":
        hooks.helpersKept(decoded.ageMsMin);
        return true;
      case "session.reset":
        sessionReset = true;
        return true;
      case "control.replied":
        return true;
      case "write":
        hooks.write(decoded.input);
        return true;
      case "turn.ended":
        endStream();
        if (isEmptyAnswer(decoded.verdict)) {
          takeEvent({ type: "notice", code: "empty_answer", message: "The CLI's answer is empty." });
        }
        ended = true;
        hooks.turnEnded(decoded.verdict);
        return true;
      case "retire":
        hooks.retire(decoded.reason);
        return true;
    }
  }
  function takeLine(line: string): void {
    const wasPrompted = dialogue?.prompted ?? false;
    const told = dialogue?.decode(line) ?? [];
    // What is said while the protocol is being opened, and what means nothing, is no output of the turn.
    if (!printed && wasPrompted && told.length > 0) noteFirstOutput();
    let asItCame = true;
    for (const decoded of told) asItCame = take(decoded) && asItCame;
    if (asItCame) options.rawLog.line(line);
  }
  function roomFor(lines: readonly string[]): Promise<void> | null {
    const committing = writer.committing();
    if (committing === null) aheadChars = 0;
    for (const line of lines) aheadChars += line.length;
    return aheadChars > aheadCharsMax ? committing : null;
  }
  function hearErrors(lines: readonly string[], decode: (line: string) => Decoded[]): void {
    for (const decoded of lines.flatMap(decode)) take(decoded);
    writer.flushSoon();
  }
  function noteFirstOutput(): void {
    printed = true;
    writer.note({ firstOutputAtMs: options.clock.wallMs() });
    hooks.firstOutput();
  }
  return {
    begin(next, prompt) {
      ended = false;
      dialogue = next;
      // What there is to note goes with the first lines: a commit of its own would be one more for every turn.
      for (const decoded of next.begin(prompt)) take(decoded);
    },
    cliVersion: noteVersion,
    lines(lines) {
      if (closed) return null;
      for (const line of lines) takeLine(line);
      // What came together with the end of the turn goes into the settlement's transaction.
      if (!ended) writer.flushSoon();
      return roomFor(lines);
    },
    stderr(text) {
      if (closed) return;
      options.rawLog.stderr(text);
      if (dialogue?.decodeError) hearErrors(stderrLines.push(text), dialogue.decodeError);
    },
    anomaly(code, message) {
      if (closed) return;
      takeAnomaly(code, message);
      writer.flushSoon();
    },
    notice(code, message) {
      if (closed) return;
      takeEvent({ type: "notice", code, message });
      writer.flushSoon();
    },
    async finish() {
      closed = true;
      endStream();
      return {
        ...(await writer.finish()),
        allText: allText(answer),
        finalText: finalText(answer),
        usage,
        costUsd,
        toolNames: [...toolNames],
        anomalies: [...anomalies].map(([code, count]) => ({ code, count })),
        cliVersion,
        sessionReset,
      };
    },
    get printed() {
      return printed;
    },
    get spoke() {
      return spoke;
    },
  };
}

/** A CLI may say megabytes at once; readers get them in events of a bounded size. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    const to = from + textEventCharsMax;
    // The two halves of a character outside the basic plane stay together.
    const end = isHighSurrogate(text.charCodeAt(to - 1)) ? to + 1 : to;
    pieces.push(text.slice(from, end));
    from = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

const noticeAnomalies = [
  "parse_error",
  "line_too_long",
  "invalid_utf8",
  "duplicate_result",
  "output_after_result",
  "session_mismatch",
  "leftover_processes",
] as const;

function isNotice(code: string): code is (typeof noticeAnomalies)[number] {
  return (noticeAnomalies as readonly string[]).includes(code);
}

/** Every text that a CLI chose; that of the answer has gone through a stream by then. */
function redactEvent(event: RunEventBody, redactor: Redactor): RunEventBody {
  const { text, json, log } = redactor;
  switch (event.type) {
    case "session":
      return {
        ...event,
        cliSessionId: text(event.cliSessionId),
        model: event.model === null ? null : text(event.model),
      };
    case "tool.started":
      return { ...event, toolId: text(event.toolId), name: text(event.name), input: json(event.input) };
    case "tool.finished":
      return { ...event, toolId: text(event.toolId), output: text(event.output) };
    case "notice":
      return { ...event, message: log(event.message) };
    default:
      return event;
  }
}
