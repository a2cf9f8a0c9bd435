import type { Child } from "hono/jsx";
import { inputSummary, toolOutputCharsMax, type ToolPart, type ToolResult } from "./answer-parts.ts";
import { DiffView } from "./diff.tsx";
import { countsOf, editsOf, type FileEdit } from "./edits.ts";
import { byId, elementIds } from "../element-ids.ts";
import { toolCallPath } from "../runs/run-paths.ts";
import { Elapsed } from "../time-shown.tsx";
import { visibleText } from "../visible-text.ts";
import { cut, durationBetween, plural } from "../wording.ts";

const summaryCharsMax = 120;
const problemCharsMax = 160;
const toolInputCharsShown = 2_048;
/** Edits with fewer changed lines are open at once: they are what people look for. */
const openEditLinesMax = 24;

/** A tool call as a card: what and how it went without opening it, input and output inside. */
export function ToolCard({ runId, part }: { runId: string; part: ToolPart }) {
  const edits = editsOf(part.name, part.input);
  const state = part.denied ? " denied" : part.result?.isError ? " failed" : "";
  return (
    <details
      class={`part tool${state}`}
      id={elementIds.part(runId, part.part)}
      open={edits !== null && isSmall(edits)}
    >
      <ToolCall runId={runId} part={part} edits={edits} />
    </details>
  );
}

function isSmall(edits: readonly FileEdit[]): boolean {
  const { added, removed } = countsOf(edits);
  return added + removed <= openEditLinesMax;
}

/** What stands inside a card's `details`. */
export function ToolCall(props: { runId: string; part: ToolPart; edits?: readonly FileEdit[] | null }) {
  const { runId, part, edits = editsOf(part.name, part.input) } = props;
  return (
    <>
      <summary>
        <span class="tool-name">{part.name}</span>{" "}
        <code>{part.input === undefined ? "…" : visibleText(inputSummary(part.input, summaryCharsMax))}</code>{" "}
        {edits !== null && <EditCounts edits={edits} />}
        <ToolState part={part} />
        {part.result?.isError && <FirstLine text={part.result.output} />}
      </summary>
      <div class="tool-body" id={elementIds.toolBody(runId, part.part)}>
        {edits === null ? <ToolInput part={part} /> : <DiffView edits={edits} />}
        {part.result !== null && <ToolOutput result={part.result} />}
        <WholeCall runId={runId} part={part} />
      </div>
    </>
  );
}

function EditCounts({ edits }: { edits: readonly FileEdit[] }) {
  const { added, removed } = countsOf(edits);
  return (
    <span class="edit-counts">
      <span class="added-count">+{added}</span> <span class="removed-count">−{removed}</span>{" "}
    </span>
  );
}

function ToolState({ part }: { part: ToolPart }) {
  const { result, denied, startedAt } = part;
  if (denied) return <span class="chip state-denied">not allowed</span>;
  if (result === null) {
    return (
      <>
        <span class="chip state-running">running</span> <Elapsed since={startedAt} />
      </>
    );
  }
  return (
    <>
      {result.isError && <span class="chip state-failed">failed</span>}{" "}
      <span class="took">{durationBetween(startedAt, result.finishedAt)}</span>
    </>
  );
}

/** What went wrong is seen without opening the card. */
function FirstLine({ text }: { text: string }) {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line === "" ? null : (
    <span class="tool-problem">{inputSummary(terminalText(line), problemCharsMax)}</span>
  );
}

function ToolInput({ part }: { part: ToolPart }) {
  if (part.input === undefined) return null;
  const shown = cut(inputText(part.input), toolInputCharsShown);
  return (
    <Labelled label="Input">
      <pre tabindex={0}>{shown.text === "" ? "(nothing)" : visibleText(shown.text)}</pre>
      {shown.missing > 0 && <p class="hint">… and {plural(shown.missing, "character")} more</p>}
    </Labelled>
  );
}

/** A command as it would be typed; anything else as JSON. */
function inputText(input: unknown): string {
  const command = (input as { command?: unknown } | null)?.command;
  return typeof command === "string" ? command : (JSON.stringify(input, null, 2) ?? "");
}

function ToolOutput({ result }: { result: ToolResult }) {
  const missing = result.outputChars - result.output.length;
  return (
    <Labelled label={result.isError ? "What went wrong" : "Output"}>
      <pre tabindex={0}>{result.output === "" ? "(nothing)" : terminalText(result.output)}</pre>
      {missing > 0 && <p class="hint">… and {plural(missing, "character")} more</p>}
    </Labelled>
  );
}

/** What a terminal would have shown, without the colours. */
function terminalText(text: string): string {
  return visibleText(text.replaceAll(/\p{Cc}\[[\d;]*m/gu, ""));
}

function Labelled({ label, children }: { label: string; children: Child }) {
  return (
    <>
      <p class="label">{label}</p>
      {children}
    </>
  );
}

/** Loads what the card left out in its place; without scripts it is a page. */
function WholeCall({ runId, part }: { runId: string; part: ToolPart }) {
  const isInputCut =
    part.input === undefined || (JSON.stringify(part.input, null, 2)?.length ?? 0) > toolInputCharsShown;
  const isOutputCut = (part.result?.outputChars ?? 0) > toolOutputCharsMax;
  const path = toolCallPath(runId, part.toolId);
  if ((!isInputCut && !isOutputCut) || path === null) return null;
  return (
    <p class="hint">
      <a href={path} hx-get={path} hx-target={byId(elementIds.toolBody(runId, part.part))}>
        Show all of it
      </a>
    </p>
  );
}
