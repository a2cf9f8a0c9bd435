import type { Child } from "hono/jsx";
import type { ToolCallRecord } from "../../domain/ports.ts";
import { shortened } from "../../domain/run.ts";
import { isTerminal } from "../../domain/run-state.ts";
import { DiffView } from "../chat/diff.tsx";
import { editsOf } from "../chat/edits.ts";
import { type Frame, Page } from "../layout.tsx";
import { eventsPath } from "./run-events.tsx";
import type { RunShown } from "./run-head.tsx";
import { runPath } from "./run-paths.ts";
import { untoldEnd } from "./run-steps.tsx";
import { Elapsed, TimeShown } from "../time-shown.tsx";
import { visibleText } from "../visible-text.ts";
import { cut, durationBetween, plural } from "../wording.ts";

const titleCharsMax = 120;
const inputCharsMax = 262_144;
const outputCharsMax = 1_048_576;

/** One tool call of a run, on a page of its own. */
export function ToolCallPage({ frame, run, call }: { frame: Frame; run: RunShown; call: ToolCallRecord }) {
  const name = shortened(call.name, titleCharsMax);
  return (
    <Page frame={frame} section="agents" title={`${name} · ${run.agentId}`} wide>
      <p class="pager">
        <a href={`/agents/${run.agentId}`}>{run.agentId}</a> · <a href={runPath(run.id)}>the run</a>
      </p>
      <h1>{name}</h1>
      <p class="facts">
        <CallState run={run} call={call} /> started <TimeShown at={call.startedAt} />
      </p>
      <WholeToolCall run={run} call={call} />
    </Page>
  );
}

function CallState({ run, call }: { run: RunShown; call: ToolCallRecord }) {
  const { result, startedAt } = call;
  if (result !== null) {
    return (
      <>
        {result.isError && <span class="chip state-failed">failed</span>} took{" "}
        {durationBetween(startedAt, result.finishedAt)},
      </>
    );
  }
  if (isTerminal(run.state)) return <>{untoldEnd(run)},</>;
  return (
    <>
      <span class="chip state-running">running</span> <Elapsed since={startedAt} />
    </>
  );
}

/** What went in and what came out; also put in place of what a card has cut. */
export function WholeToolCall({ run, call }: { run: Pick<RunShown, "id">; call: ToolCallRecord }) {
  const edits = editsOf(call.name, call.input);
  const input = cut(inputText(call.input), inputCharsMax);
  const events = eventsPath(run.id, "tools", null);
  return (
    <div class="tool-whole">
      {edits === null ? <Labelled label="Input" {...input} events={events} /> : <DiffView edits={edits} />}
      {call.result !== null && (
        <Labelled
          label={call.result.isError ? "What went wrong" : "Output"}
          {...cut(call.result.output, outputCharsMax)}
          events={events}
        />
      )}
    </div>
  );
}

/** A command as it would be typed; anything else as JSON. */
function inputText(input: unknown): string {
  const command = commandOf(input);
  return command ?? JSON.stringify(input, null, 2) ?? "";
}

function commandOf(input: unknown): string | null {
  if (typeof input !== "object" || input === null) return null;
  const { command, ...others } = input as Record<string, unknown>;
  const isAlone = Object.keys(others).every((key) => key === "description");
  return typeof command === "string" && isAlone ? command : null;
}

function Labelled(props: { label: string; text: string; missing: number; events: string }): Child {
  const { label, text, missing, events } = props;
  return (
    <>
      <p class="label">{label}</p>
      <pre tabindex={0}>
        {"\n"}
        {text === "" ? "(nothing)" : visibleText(text)}
      </pre>
      {missing > 0 && (
        <p class="hint">
          … and {plural(missing, "character")} more, <a href={events}>among the run's events</a>
        </p>
      )}
    </>
  );
}
