import { type FaultCase, faultCase, inFile, leftOut } from "./fault-case.ts";

const here = inFile("faults/concurrency.test.ts");
const queue = inFile("e2e/queue.test.ts");
const cancel = inFile("e2e/cancel.test.ts");
const streams = inFile("e2e/streams.test.ts");

/** What happens at the same moment. */
export const concurrencyCases: readonly FaultCase[] = [
  faultCase(
    "C1",
    "100 executes at once on one agent",
    "One after the other, in order of their admission; all settle",
    queue("100 at once run one after the other, in order of their admission, and all settle"),
  ),
  faultCase(
    "C2",
    "A cancel races the completion",
    "One end; where the result came first the run has `succeeded`, and the cancel answers 200 with `alreadyFinished`",
    cancel("a cancel that races the completion leaves one end, and tells it truly"),
    inFile("e2e/cancel-race.long.ts")(
      "200 cancels that race the completion leave one end each, told truly (%s)",
    ),
  ),
  faultCase(
    "C3",
    "50 cancels at once",
    "One sequence of signals, the same answer for all",
    here("C3: 50 cancels at once are one: no signal is sent twice, and all hear the same answer"),
    cancel("20 parallel cancels and a later one hear the same answer"),
  ),
  faultCase(
    "C4",
    "A cancel of a run that waits",
    "`cancelled`; never started",
    here("C4: of 20 that wait, those that are cancelled never start, and the others do, in order"),
    queue("a run that is cancelled while it waits is never started, and leaves the conversation"),
  ),
  faultCase(
    "C5",
    "A client goes away in mid-stream",
    "The run goes on; who comes back with Last-Event-ID gets every event once",
    streams("a client that goes away doesn't cancel its run, whichever way it waited"),
    streams("a stream resumes strictly after the event that the client names"),
  ),
  faultCase(
    "C6",
    "The same Idempotency-Key 20 times at once",
    "One run; another body is 422 `idempotency_mismatch`; the same after a restart",
    queue("the same Idempotency-Key 20 times at once is one run, and with another body it is refused"),
    queue("a run stays what the first answer of its key said, also after a restart"),
  ),
  faultCase(
    "C7",
    "A time limit races the result",
    "One end",
    cancel("a time limit that races the completion leaves one end, and tells it truly"),
  ),
  faultCase(
    "C8",
    "An agent or a conversation is deleted while it runs",
    "409 `run_active`; with `force` its runs are cancelled first",
    inFile("routes/agent-life.test.ts")("is 409 while runs are queued or active, and changes nothing"),
    inFile("routes/conversations.test.ts")("is refused while runs are queued or active, unless forced"),
    inFile("routes/conversations.test.ts")(
      "is refused while runs of it are queued or active, and 404 when it isn't there",
    ),
  ),
  leftOut(
    "C9",
    "The mode is switched while a run is in progress",
    "There is one mode, headless, until tmux comes.",
  ),
  leftOut(
    "C10",
    "The fallback is switched with 20 runs queued",
    "There is no fallback to switch until tmux comes.",
  ),
  leftOut("C11", "The tmux branch of a shadow pair fails", "There are no shadow pairs until tmux comes."),
  faultCase(
    "C12",
    "Somebody still writes under an old fence",
    "Nothing is written",
    inFile("store/run-log.test.ts")("whoever holds an old fence, or a run that has ended, writes nothing"),
    inFile("store/triggers.test.ts")("the database refuses what an earlier server still wants to write"),
  ),
];
