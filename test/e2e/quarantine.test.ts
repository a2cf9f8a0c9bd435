import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../../src/domain/agent.ts";
import { expectJson, requestJson } from "../helpers/http.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent } from "./stage.ts";

interface Reply {
  agentId: string;
  quarantined: boolean;
  survivors: number;
}

const recheck = (stage: Stage, { id }: StageAgent) =>
  expectJson<Reply>(stage.server.fetch, 200, "POST", `/api/agents/${id}/quarantine/recheck`);

const statusOf = async (stage: Stage, { id }: StageAgent) =>
  (await expectJson<Agent>(stage.server.fetch, 200, "GET", `/api/agents/${id}`)).status;

/**
 * What a server leaves that could not end a process: the agent in quarantine, and the process alive and without an
 * end on record. A live process of the agent's takes the part, whose record a killed server had no time to close.
 */
function leaveUnended({ server }: Stage, { id }: StageAgent, child: { pid: number; marker: string }): void {
  const database = new Database(join(server.dataDir, "headway.db"), { strict: true });
  database.run("pragma busy_timeout = 2000");
  database.run("update agents set quarantined_at = 1 where id = ?", [id]);
  database
    .query(
      `insert into processes (id, agent_key, conversation_id, epoch, pid, pid_start, boot_id, marker, containment, started_at)
       select :marker, key, 'conv_gone', (select max(epoch) from server_epochs), :pid, :pidStart, :bootId, :marker, 'process-group', 1
       from agents where id = :id`,
    )
    .run({ id, ...child, pidStart: startTicksOf(child.pid), bootId: bootId() });
  database.close();
}

function startTicksOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

const bootId = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

function startLoner(marker: string) {
  const env = { PATH: process.env["PATH"] ?? "", HEADWAY_PROCESS_ID: marker };
  return Bun.spawn(["sleep", "300"], { env, stdio: ["ignore", "ignore", "ignore"] });
}

describe.skipIf(process.platform !== "linux")("an agent that is in quarantine", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.tidy());
  afterAll(() => stage[Symbol.asyncDispose]());

  test("gets no run and is seen from outside, until a recheck has ended what lived on", async () => {
    const agent = await stage.agent();
    const first = await agent.execute("hello", { key: "once" });
    await agent.endSession();
    const loner = startLoner("proc_e2e_recheck");
    leaveUnended(stage, agent, { pid: loner.pid, marker: "proc_e2e_recheck" });

    const refused = await agent.execute("hello");
    const replayed = await agent.execute("hello", { key: "once" });
    const notes = await requestJson<{ notes: string[] }>(stage.server.fetch, "GET", "/readyz");
    const metrics = await (await stage.server.fetch("/metrics")).text();
    const reply = await recheck(stage, agent);
    const answer = await agent.ask("hello");

    expect([refused.status, refused.body]).toEqual([
      503,
      expect.objectContaining({ code: "agent_quarantined" }),
    ]);
    expect(refused.headers.get("retry-after")).toBe("30");
    expect([replayed.status, replayed.body.id]).toEqual([200, first.body.id]);
    expect(replayed.headers.get("idempotent-replay")).toBe("true");
    expect((refused.body as unknown as { detail: string }).detail).toContain(String(loner.pid));
    expect(notes.body.notes).toContain("Processes of 1 agent could not be ended.");
    expect(metrics).toContain("headway_agents_quarantined 1");
    expect(reply).toEqual({ agentId: agent.id, quarantined: false, survivors: 0 });
    await loner.exited;
    expect(loner.signalCode).toBe("SIGKILL");
    expect(answer).toBe("You said: hello");
  });

  test("is set free by the start of a server that proves its processes dead, and its queue goes on", async () => {
    const agent = await stage.agent();
    const holder = await agent.begin("hold wait=60000");
    await stage.reached(holder.id, "running");
    const waiting = await agent.begin("waited");
    const loner = startLoner("proc_e2e_start");

    await stage.server.kill();
    leaveUnended(stage, agent, { pid: loner.pid, marker: "proc_e2e_start" });
    await stage.server.restart();
    const run = await stage.settled(waiting.id);

    expect(run.state).toBe("succeeded");
    expect(await statusOf(stage, agent)).toBe("idle");
    await waitFor(() => loner.signalCode === "SIGKILL", { what: "the end of what lived on" });
  });

  test("is the only one that a recheck does anything to", async () => {
    const agent = await stage.agent();
    await agent.ask("hello");

    const reply = await recheck(stage, agent);
    const unknown = await requestJson(stage.server.fetch, "POST", "/api/agents/nobody/quarantine/recheck");

    expect(reply).toEqual({ agentId: agent.id, quarantined: false, survivors: 0 });
    expect(unknown.status).toBe(404);
    expect(stage.server.survivors().length).toBeGreaterThan(0);
  });
});
