import { isTerminal } from "../../domain/run-state.ts";
import { elementIds } from "../element-ids.ts";
import { Problem, ProblemPlace } from "../forms.tsx";
import { type Following, type Frame, Page } from "../layout.tsx";
import { type EventWindow, RunEvents } from "./run-events.tsx";
import { type RunFacts, RunFactsTable, RunHead, titleOf } from "./run-head.tsx";
import { type LogTail, RunLog } from "./run-log.tsx";
import { runPath } from "./run-paths.ts";
import { RunTimeline } from "./run-timeline.tsx";
import type { ToolSpan } from "./timeline-layout.ts";
import { TimeShown } from "../time-shown.tsx";
import { turnPath } from "../chat/turn-link.tsx";
import { cut, plural } from "../wording.ts";

const textCharsMax = 262_144;

export interface RunPageProps {
  frame: Frame;
  facts: RunFacts;
  /** What was answered; null while the run goes on. */
  content: string | null;
  spans: readonly ToolSpan[];
  hasEarlierSpans: boolean;
  window: EventWindow;
  tail: LogTail | null;
  nowMs: number;
  following: Following | null;
  problem: string | null;
}

/** One run: what it was and how it went, when what happened, every event, and what the CLI printed. */
export function RunPage(props: RunPageProps) {
  const { frame, facts, window, problem, following } = props;
  const { run } = facts;
  return (
    <Page
      frame={frame}
      section="agents"
      title={`${titleOf(run)} · ${run.agentId}`}
      following={following}
      wide
    >
      <RunHead facts={facts} />
      <ProblemPlace>{problem !== null && <Problem message={problem} />}</ProblemPlace>
      {!isTerminal(run.state) && (
        <p class="hint without-script">
          This page doesn't follow the run without JavaScript. <a href="">Look again</a>
        </p>
      )}
      <RunTimeline {...props} run={run} />
      <section class="run-details" aria-labelledby="facts-head">
        <h2 id="facts-head">Facts</h2>
        <RunFactsTable facts={facts} />
        <RunTexts facts={facts} content={props.content} />
      </section>
      {run.eventsRemovedAt === null ? (
        <RunEvents runId={run.id} originMs={Date.parse(run.queuedAt)} window={window} />
      ) : (
        <EventsRemoved at={run.eventsRemovedAt} />
      )}
      <RunLog run={run} tail={props.tail} />
      <p class="pager">
        <a href={`/api${runPath(run.id)}`}>The run as JSON</a> ·{" "}
        <a href={`/api${runPath(run.id)}/events?limit=500`}>its events as JSON</a>
      </p>
    </Page>
  );
}

/** What was asked and answered, as it stands in the conversation. */
export function RunTexts({ facts, content }: Pick<RunPageProps, "facts" | "content">) {
  const { run } = facts;
  return (
    <div class="run-texts" id={elementIds.runTexts}>
      <FoldedText runId={run.id} title="The message" text={run.prompt} />
      {content === null && run.state !== "queued" && <AnswerSoFar facts={facts} />}
      {content !== null && content !== "" && (
        <FoldedText
          runId={run.id}
          title={run.contentFinal ? "The answer" : "The answer, as far as it came"}
          text={content}
        />
      )}
    </div>
  );
}

function AnswerSoFar({ facts: { run, turnSeq } }: { facts: RunFacts }) {
  const { conversationId, userTurnId } = run;
  const path =
    turnSeq === null
      ? `/agents/${run.agentId}`
      : turnPath({ conversationId, seq: turnSeq, turnId: userTurnId });
  return (
    <p class="hint">
      The answer is read where it is written, <a href={path}>in its conversation</a>, until it is whole.
    </p>
  );
}

function FoldedText({ runId, title, text }: { runId: string; title: string; text: string }) {
  const shown = cut(text, textCharsMax);
  return (
    <details class="card">
      <summary>{title}</summary>
      <p class="said">{shown.text}</p>
      {shown.missing > 0 && (
        <p class="hint">
          … and {plural(shown.missing, "character")} more, <a href={`/api${runPath(runId)}`}>in the JSON</a>
        </p>
      )}
    </details>
  );
}

/** With them went its tool calls and its thoughts; the message and the answer are turns of the conversation. */
function EventsRemoved({ at }: { at: string }) {
  return (
    <section class="run-events" id={elementIds.events} aria-labelledby="events-head">
      <h2 id="events-head">Events</h2>
      <p class="hint">
        They were removed <TimeShown at={at} />, tool calls included: events are kept for as long as this
        server is set to. The message and the answer stay.
      </p>
    </section>
  );
}

/** Takes the place of everything when the run's conversation is deleted while somebody looks at it. */
export function RunGone() {
  return (
    <section class="card narrow">
      <h1>This run is gone</h1>
      <p>Its conversation was deleted.</p>
      <p>
        <a href="/">Back to the agents</a>
      </p>
    </section>
  );
}
