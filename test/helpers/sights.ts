import type { AgentGlance } from "../../src/domain/ports.ts";
import type { CliFinding, CliNeed } from "../../src/runner/runner-api.ts";
import type { AgentSight } from "../../src/views/agents/agent-condition.ts";
import { anAgent } from "./records.ts";

const at = "2026-11-22T10:00:00.000Z";

/** An agent that has done nothing yet, but for what is given. */
export function aGlance(given: Partial<AgentGlance> = {}): AgentGlance {
  return { active: null, lastRun: null, lastLine: null, ...given };
}

/** The run that ended last: well, but for what is given. */
export function aLastRun(given: Partial<NonNullable<AgentGlance["lastRun"]>> = {}) {
  return { runId: "run_1", state: "succeeded" as const, errorCode: null, endedAt: at, ...given };
}

/** A run in progress that has said nothing yet, but for what is given. */
export function anActiveRun(given: Partial<NonNullable<AgentGlance["active"]>> = {}) {
  return { runId: "run_2", state: "running" as const, startedAt: at, lastEvent: null, ...given };
}

export const aSignIn: CliNeed = {
  what: "sign_in",
  advice: "Sign in in a terminal.",
  command: "claude login",
};

/** Claude Code, found and fit, but for what is given. */
export function aFinding(given: Partial<CliFinding["report"]> = {}, missing: CliNeed[] = []): CliFinding {
  return {
    report: {
      cli: "claude",
      acpAgent: null,
      found: true,
      path: "/usr/bin/claude",
      version: "2.1.330",
      tested: "2.1.330",
      minimum: "2.1.163",
      signedIn: "unknown",
      warm: true,
      permissionModes: ["read", "edit", "full"],
      notes: [],
      ...given,
    },
    carried: true,
    missing,
    signIn: aSignIn,
    judgement: "ok",
    hints: [],
    permissionWords: { read: "plan", edit: "acceptEdits", full: "bypassPermissions" },
    takesMcpConfig: true,
  };
}

/** An idle agent with a CLI that works. */
export function aSight(given: Partial<AgentSight> = {}): AgentSight {
  return {
    agent: anAgent({ cli: "claude" }),
    glance: aGlance(),
    finding: aFinding(),
    breaker: null,
    ...given,
  };
}
