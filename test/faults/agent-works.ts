import type { StageAgent } from "../e2e/stage.ts";

/** A fault is over within 5 s; this much more is for a machine that is busy with something else. */
const deadlineMs = 15_000;

/**
 * Throws unless the agent's next ordinary turn succeeds before its time limit: after a fault no lock may be
 * left, no breaker open that nobody expects, and no session that can't go on.
 */
export async function expectAgentWorks(agent: StageAgent): Promise<void> {
  const { status, body } = await agent.execute("are you well?", { timeoutMs: deadlineMs });
  if (status !== 200) throw new Error(`The agent's next turn failed: ${status} ${JSON.stringify(body)}`);
}
