import { readdirSync } from "node:fs";
import { expect, test } from "bun:test";
import type { Agent } from "../../src/domain/agent.ts";
import { expectJson } from "../helpers/http.ts";
import { openStage, type Stage } from "./stage.ts";

/** What a server at its limit of open files may answer: a run, or that it can't take one now. */
const allowedStatuses = [200, 502, 503];

test.each([0, 6])(
  "V9: a server with %i descriptors left answers with codes of the contract, and recovers",
  async (left) => {
    await using stage = await openStage({ HEADWAY_WARM_PROCESSES: "0" });
    const agents = [];
    for (let at = 0; at < 8; at += 1) agents.push(await stage.agent());
    await agents[0]!.ask("hello");
    const open = readdirSync(`/proc/${stage.server.pid}/fd`).length;

    limitDescriptors(stage.server.pid, open + left);
    const answers = await Promise.allSettled(agents.map((agent) => agent.execute("hello")));
    limitDescriptors(stage.server.pid, 20_000);

    // A connection that finds no descriptor isn't taken at all; who has one is answered.
    const told = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const runs = await Promise.all(told.map(({ body }) => stage.settled(body.id)));
    for (const run of runs) {
      if (run.state !== "succeeded") expect(run).toMatchObject({ state: "failed", survivors: 0 });
    }
    expect(runs.some(({ error }) => error?.code === "spawn_error")).toBe(true);
    for (const { status } of told) expect(allowedStatuses).toContain(status);
    // The machine's shortage says nothing of the CLI.
    const unstarted = runs.filter(({ error }) => error?.code === "spawn_error");
    for (const { agentId } of unstarted) expect(await failuresOf(stage, agentId)).toBe(0);
    for (const agent of agents) expect(await agent.ask("hello again")).toBe("You said: hello again");
  },
);

async function failuresOf({ server }: Stage, agentId: string): Promise<number> {
  const agent = await expectJson<Agent>(server.fetch, 200, "GET", `/api/agents/${agentId}`);
  return agent.breaker.failures;
}

function limitDescriptors(pid: number, most: number): void {
  const limited = Bun.spawnSync(["prlimit", "--pid", String(pid), `--nofile=${most}:`]);
  if (limited.exitCode !== 0) throw new Error(limited.stderr.toString());
}
