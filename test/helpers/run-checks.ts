import { z } from "zod";
import { runEventSchema } from "../../src/domain/event.ts";
import { runListItemSchema, runSchema, type Run } from "../../src/domain/run.ts";
import { isTerminal } from "../../src/domain/run-state.ts";

const isoPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const times = ["queuedAt", "startedAt", "firstOutputAt", "endedAt"] as const;

/** Reads a run as the contract has it, every field there and no other, and throws when it contradicts itself. */
export function checkedRun(value: unknown): Run {
  const run = runSchema.strict().parse(value);
  const wrong: string[] = [];
  const expectThat = (isTrue: boolean, trouble: string) => void (isTrue || wrong.push(trouble));
  for (const name of times)
    expectThat(run[name] === null || isoPattern.test(run[name]), `${name} is no time`);
  expectThat(/^run_[0-9a-f]{32}$/.test(run.id), "the id has no prefix");
  expectThat(/^conv_[0-9a-f]{32}$/.test(run.conversationId), "the conversation's id has no prefix");
  expectThat(/^turn_[0-9a-f]{32}$/.test(run.userTurnId), "the turn's id has no prefix");
  expectThat(isTerminal(run.state) === (run.endedAt !== null), "endedAt and the state disagree");
  expectThat(
    (run.state === "queued") === (run.queuePosition !== null),
    "queuePosition and the state disagree",
  );
  expectThat(run.state !== "succeeded" || (run.error === null && run.contentFinal), "success with an error");
  expectThat(
    !["failed", "timed_out"].includes(run.state) || run.error !== null,
    "a failure without its code",
  );
  expectThat(run.error === null || run.error.runbook === `/api/docs#error-${run.error.code}`, "no runbook");
  const known = times.map((name) => run[name]).filter((time) => time !== null);
  expectThat(
    known.every((time, at) => at === 0 || time >= known[at - 1]!),
    "times run backwards",
  );
  if (wrong.length > 0) throw new Error(`${wrong.join("; ")}: ${JSON.stringify(run).slice(0, 1_000)}`);
  return run;
}

const runListSchema = z.strictObject({
  items: z.array(runListItemSchema.strict()),
  nextCursor: z.string().nullable(),
});

export const checkedRunList = (value: unknown) => runListSchema.parse(value);

/** Reads events and throws when they aren't dense from `first`, or not of one run. */
export function checkedEvents(values: readonly unknown[], first = 1) {
  const events = values.map((value) => runEventSchema.parse(value));
  events.forEach((event, at) => {
    if (event.seq !== first + at) throw new Error(`seq ${event.seq} stands where ${first + at} belongs`);
    if (event.runId !== events[0]?.runId) throw new Error(`${event.runId} is of another run`);
    if (!isoPattern.test(event.at)) throw new Error(`${event.at} is no time`);
  });
  return events;
}
