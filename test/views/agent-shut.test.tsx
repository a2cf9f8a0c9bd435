import { describe, expect, test } from "bun:test";
import type { Agent } from "../../src/domain/agent.ts";
import { conditionOf, inBoardOrder, tallyOf, tallyShown } from "../../src/views/agents/agent-condition.ts";
import { AgentRow } from "../../src/views/agents/agent-row.tsx";
import { renderHtml } from "../../src/views/render.ts";
import { statusShown } from "../../src/views/wording.ts";
import { anOpenBreaker } from "../helpers/health-records.ts";
import { anAgent } from "../helpers/records.ts";
import { aGlance, aLastRun, anActiveRun, aSight, aSignIn } from "../helpers/sights.ts";

const retryAt = "2026-11-22T10:00:30.000Z";
const open = { state: "open", failures: 5, retryAt } as const;
const halfOpen = { state: "half_open", failures: 5, retryAt: null } as const;
const failed = aGlance({ lastRun: aLastRun({ state: "failed", errorCode: "overloaded" }) });

const sightOf = (given: Partial<Agent>, glance = failed) =>
  aSight({ agent: anAgent({ cli: "claude", ...given }), breaker: anOpenBreaker(), glance });

function rowText(sight: ReturnType<typeof sightOf>): string {
  return renderHtml(<AgentRow sight={sight} />)
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replace(/\s+/g, " ");
}

describe("an agent whose circuit breaker is open", () => {
  test("is shown with that rather than with its last failure: why, until when, and a way to try at once", () => {
    const sight = sightOf({ breaker: open });

    expect(conditionOf(sight)).toEqual({
      kind: "breaker_open",
      cause: anOpenBreaker().cause,
      restsUntil: retryAt,
    });
    expect(rowText(sight)).toContain(
      "breaker open The model's provider is overloaded or failing. Wait a few minutes, then send it again. " +
        "It takes no messages until 2026-11-22 10:00:30 UTC . See the run Try again now (helper)",
    );
  });

  test("needs a person first where nobody is signed in, and rests meanwhile", () => {
    const glance = aGlance({ lastRun: aLastRun({ state: "failed", errorCode: "auth_required" }) });
    const sight = sightOf({ breaker: open }, glance);

    expect(conditionOf(sight)).toEqual({
      kind: "blocked",
      need: aSignIn,
      runId: "run_1",
      restsUntil: retryAt,
    });
    expect(rowText(sight)).toMatch(/needs sign-in .* until 2026-11-22 10:00:30 UTC .* Try again now/);
  });

  test("runs while a run of it goes on that was begun before", () => {
    const running = { status: "running", activeRunId: "run_2", breaker: open } as const;
    const sight = sightOf(running, aGlance({ active: anActiveRun() }));

    expect(conditionOf(sight).kind).toBe("running");
    expect(statusShown(sight.agent)).toBe("running");
  });

  test("is in quarantine first", () => {
    const sight = sightOf({ status: "quarantined", breaker: open });

    expect(conditionOf(sight)).toEqual({ kind: "quarantined" });
    expect(rowText(sight)).toContain("Check again (helper)");
  });
});

describe("an agent whose circuit breaker is half open", () => {
  test("probes, with the run that does or without one yet, unless somebody has to sign in first", () => {
    const waits = sightOf({ breaker: halfOpen });
    const signedOut = sightOf(
      { breaker: halfOpen },
      aGlance({ lastRun: aLastRun({ state: "failed", errorCode: "auth_required" }) }),
    );
    const probes = sightOf(
      { status: "running", activeRunId: "run_2", breaker: halfOpen },
      aGlance({ active: anActiveRun() }),
    );

    expect(conditionOf(waits)).toEqual({ kind: "probing", run: null });
    expect(conditionOf(probes)).toMatchObject({ kind: "probing", run: { kind: "running", runId: "run_2" } });
    expect(rowText(waits)).toContain("probing One message is let through");
    expect(rowText(probes)).toContain("probing since 10:00:00 UTC working");
    expect(conditionOf(signedOut).kind).toBe("blocked");
    expect([waits, probes].map(({ agent }) => statusShown(agent))).toEqual(["probing", "probing"]);
  });
});

test("the board begins with open breakers and counts them, and probes stand with what runs", () => {
  const sights = [
    sightOf({ id: "idle" }, aGlance()),
    sightOf({ id: "probing", breaker: halfOpen }),
    sightOf({ id: "open", breaker: open, queueLength: 2 }),
  ];

  const order = inBoardOrder(sights).map(({ agent }) => agent.id);
  const counted = sights.map((sight) => ({
    kind: conditionOf(sight).kind,
    queueLength: sight.agent.queueLength,
  }));

  expect(order).toEqual(["open", "probing", "idle"]);
  expect(tallyShown(tallyOf(counted))).toBe("3 agents: 1 probing, 2 waiting, 1 with an open breaker");
  expect(statusShown(sights[2]!.agent)).toBe("breaker open, 2 waiting");
});
