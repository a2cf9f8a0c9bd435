import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import type { CliNeed } from "../../src/runner/runner-api.ts";
import { conditionOf, inBoardOrder, tallyOf, tallyShown } from "../../src/views/agents/agent-condition.ts";
import { anAgent, eventsOf } from "../helpers/records.ts";
import { aFinding, aGlance, aLastRun, anActiveRun, aSight, aSignIn } from "../helpers/sights.ts";

const running = anAgent({ status: "running", activeRunId: "run_2" });
const install: CliNeed = { what: "install", advice: "Install it.", command: "npm install" };

/** The condition of an agent whose running run told this last. */
function whenLast(...said: RunEventBody[]) {
  const lastEvent = eventsOf("run_2", said).at(-1) ?? null;
  return conditionOf(aSight({ agent: running, glance: aGlance({ active: anActiveRun({ lastEvent }) }) }));
}

describe("what an agent is doing", () => {
  test.each<[string, RunEventBody[], object]>([
    ["nothing yet", [], { what: "working" }],
    ["text", [{ type: "text", text: "a", block: 0 }], { what: "writing" }],
    ["a thought", [{ type: "thinking", text: "hm" }], { what: "thinking" }],
    [
      "a tool's start",
      [{ type: "tool.started", toolId: "t", name: "Bash", input: { command: "npm\n test" } }],
      { what: "tool", name: "Bash", summary: "npm test" },
    ],
    [
      "a tool's end",
      [{ type: "tool.finished", toolId: "t", isError: false, output: "" }],
      { what: "working" },
    ],
  ])("is told from its run's last deed: %s", (_, said, activity) => {
    expect(whenLast(...said)).toMatchObject({ kind: "running", activity });
  });

  test("is starting while its run has no process, or when the glance is of another run", () => {
    const starting = aGlance({ active: anActiveRun({ state: "starting" }) });
    const other = aGlance({ active: anActiveRun({ runId: "run_9" }) });

    const activities = [starting, other].map((glance) => conditionOf(aSight({ agent: running, glance })));

    expect(activities).toMatchObject([
      { activity: { what: "starting" } },
      { activity: { what: "starting" } },
    ]);
  });

  test("counts for more than how its last run ended", () => {
    const glance = aGlance({ active: anActiveRun(), lastRun: aLastRun({ state: "failed" }) });

    expect(conditionOf(aSight({ agent: running, glance })).kind).toBe("running");
  });
});

describe("an agent needs a person", () => {
  test("when its last run found nobody signed in, and is told how", () => {
    const glance = aGlance({ lastRun: aLastRun({ state: "failed", errorCode: "auth_required" }) });

    expect(conditionOf(aSight({ glance }))).toEqual({
      kind: "blocked",
      need: aSignIn,
      runId: "run_1",
      restsUntil: null,
    });
  });

  test("when its CLI isn't there, whatever its last run was", () => {
    const sight = aSight({
      finding: aFinding({ found: false }, [install]),
      glance: aGlance({ lastRun: aLastRun() }),
    });

    expect(conditionOf(sight)).toEqual({ kind: "blocked", need: install, runId: null, restsUntil: null });
  });

  test("for want of a login only until a run has told otherwise, however that ended", () => {
    const finding = aFinding({ signedIn: "no" }, [aSignIn]);
    const lastRuns = [
      null,
      aLastRun(),
      aLastRun({ state: "cancelled" }),
      aLastRun({ state: "failed", errorCode: "rate_limited" }),
      aLastRun({ state: "failed", errorCode: "auth_required" }),
    ];

    const kinds = lastRuns.map(
      (lastRun) => conditionOf(aSight({ finding, glance: aGlance({ lastRun }) })).kind,
    );

    expect(kinds).toEqual(["blocked", "idle", "idle", "failed", "blocked"]);
  });

  test("when it is quarantined, before all else", () => {
    const agent = anAgent({ status: "quarantined", queueLength: 2 });
    const glance = aGlance({ lastRun: aLastRun({ state: "failed" }) });

    expect(conditionOf(aSight({ agent, glance })).kind).toBe("quarantined");
  });
});

describe("an agent at rest", () => {
  test.each(["failed", "timed_out", "interrupted"] as const)("has failed when its last run %s", (state) => {
    const glance = aGlance({ lastRun: aLastRun({ state, errorCode: "stalled" }) });

    expect(conditionOf(aSight({ glance }))).toEqual({
      kind: "failed",
      runId: "run_1",
      state,
      errorCode: "stalled",
    });
  });

  test("is idle when its last run was stopped by a person", () => {
    expect(conditionOf(aSight({ glance: aGlance({ lastRun: aLastRun({ state: "cancelled" }) }) })).kind).toBe(
      "idle",
    );
  });

  test("waits when messages do", () => {
    expect(conditionOf(aSight({ agent: anAgent({ queueLength: 1 }) })).kind).toBe("waiting");
  });
});

describe("the order of the board", () => {
  test("is what needs a person, what runs, what waits, and the rest, the newest first", () => {
    const sights = [
      aSight({ agent: anAgent({ id: "idle-old", createdAt: "2026-11-01T00:00:00.000Z" }) }),
      aSight({ agent: anAgent({ id: "idle-new" }) }),
      aSight({ agent: anAgent({ id: "waits", queueLength: 1 }) }),
      aSight({ agent: { ...running, id: "runs" } }),
      aSight({
        agent: anAgent({ id: "failed" }),
        glance: aGlance({ lastRun: aLastRun({ state: "failed" }) }),
      }),
    ];

    expect(inBoardOrder(sights).map(({ agent }) => agent.id)).toEqual([
      "failed",
      "runs",
      "waits",
      "idle-new",
      "idle-old",
    ]);
  });
});

describe("the summary", () => {
  test.each([
    ["1 agent, idle", [{ kind: "idle", queueLength: 0 }]],
    [
      "2 agents: 1 running, 3 waiting",
      [
        { kind: "running", queueLength: 2 },
        { kind: "waiting", queueLength: 1 },
      ],
    ],
    [
      "3 agents: 1 failed, 1 needs a person, 1 quarantined",
      [
        { kind: "failed", queueLength: 0 },
        { kind: "blocked", queueLength: 0 },
        { kind: "quarantined", queueLength: 0 },
      ],
    ],
    [
      "2 agents: 2 need a person",
      [
        { kind: "blocked", queueLength: 0 },
        { kind: "blocked", queueLength: 0 },
      ],
    ],
  ] as const)("says %p", (words, counted) => {
    expect(tallyShown(tallyOf(counted))).toBe(words);
  });
});
