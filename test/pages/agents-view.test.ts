import { describe, expect, test } from "bun:test";
import type { Agent } from "../../src/domain/agent.ts";
import type { RunEventBody } from "../../src/domain/event.ts";
import type { AgentGlance } from "../../src/domain/ports.ts";
import { openAgentsView } from "../../src/routes/pages/agents/agents-view.tsx";
import type { PageDependencies } from "../../src/routes/pages/page-dependencies.ts";
import type { CliFinding } from "../../src/runner/runner-api.ts";
import { createWakeups } from "../../src/runner/wakeups.ts";
import { anAgent, eventsOf } from "../helpers/records.ts";
import { aFinding, aGlance, aLastRun, anActiveRun } from "../helpers/sights.ts";

/** Agents that do what a test says, and a board that follows them. */
function watch(agents: Agent[], options: { listed?: number; findings?: CliFinding[] } = {}) {
  const known = new Map(agents.map((agent) => [agent.id, agent]));
  const glances = new Map<string, AgentGlance>();
  const wakeups = createWakeups();
  const machine = { findings: options.findings ?? [aFinding({ cli: "demo" })], reads: 0, looks: 0 };
  const dependencies = {
    wakeups,
    runner: {
      listAgents: () => ({
        items: [...known.values()].slice(0, options.listed),
        nextCursor: options.listed === undefined ? null : "older",
      }),
      getAgent: (id: string) => known.get(id) ?? null,
    },
    glances: {
      glancesOf(ids: readonly string[]) {
        machine.reads += ids.length;
        return new Map(ids.map((id) => [id, glances.get(id) ?? aGlance()]));
      },
    },
    async findClis() {
      machine.looks += 1;
      return machine.findings;
    },
    containment: () => ({ rung: "bwrap", degradedBecause: null, sandboxOff: false }),
  } as unknown as PageDependencies;
  const rings: string[] = [];
  const open = (cursor: string) => openAgentsView(dependencies)("", cursor, () => void rings.push("ring"));
  const announce = (agentId: string) => wakeups.announce({ runId: "", agentId });
  return {
    machine,
    rings,
    open,
    announce,
    set(agent: Agent, glance: AgentGlance = aGlance()) {
      known.set(agent.id, agent);
      glances.set(agent.id, glance);
      announce(agent.id);
    },
    remove(id: string) {
      known.delete(id);
      announce(id);
    },
  };
}

const anna = anAgent({ id: "anna" });
const ben = anAgent({ id: "ben" });
const runningAnna = anAgent({ id: "anna", status: "running", activeRunId: "run_2" });

function saying(...said: RunEventBody[]): AgentGlance {
  return aGlance({ active: anActiveRun({ lastEvent: eventsOf("run_2", said).at(-1) ?? null }) });
}

/** A view that has caught up with its page. */
async function opened(board: ReturnType<typeof watch>) {
  const view = board.open("");
  const { cursor } = await view.update();
  return { view, cursor };
}

describe("the live board", () => {
  test("has nothing to say of what the page shows already", async () => {
    const board = watch([anna, ben]);
    const { cursor } = await opened(board);

    const update = await board.open(cursor).update();

    expect(update).toEqual({ html: "", cursor, gone: false, news: [] });
  });

  test("shows everything anew to a page that shows something else", async () => {
    const board = watch([anna, ben]);

    const { html } = await board.open("another").update();

    expect(html).toStartWith('<hx-partial hx-target="#agents" hx-swap="outerMorph">');
    expect(html).toContain('id="agent-row-anna"');
    expect(html).toContain('id="agent-row-ben"');
  });

  test("sends the row that has changed and the summary, and no other row", async () => {
    const board = watch([anna, ben]);
    const { view, cursor } = await opened(board);

    board.set(runningAnna, saying({ type: "thinking", text: "hm" }));
    const update = await view.update();

    expect(update.html).toContain('hx-target="#agent-row-anna" hx-swap="outerMorph"');
    expect(update.html).toContain("thinking");
    expect(update.html).toContain("2 agents: 1 running");
    expect(update.html).not.toContain("agent-row-ben");
    expect(update.cursor).not.toBe(cursor);
  });

  test("sends nothing while an agent goes on writing, and looks at no other agent", async () => {
    const board = watch([anna, ben]);
    const { view } = await opened(board);
    board.set(runningAnna, saying({ type: "text", text: "a", block: 0 }));
    await view.update();
    const { reads, looks } = board.machine;

    board.set(runningAnna, saying({ type: "text", text: "b", block: 0 }));
    const update = await view.update();

    expect(update.html).toBe("");
    expect(board.machine).toMatchObject({ reads: reads + 1, looks });
  });

  test("rings once for whatever happens until somebody looks, and no more when it is closed", async () => {
    const board = watch([anna, ben]);
    const { view } = await opened(board);

    for (let event = 0; event < 100; event += 1) board.announce("anna");
    const before = board.rings.length;
    await view.update();
    board.announce("anna");
    view.close();
    board.announce("ben");

    expect([before, board.rings.length]).toEqual([1, 2]);
  });

  test("adds a new agent at the end and takes a deleted one away, so that no row moves", async () => {
    const board = watch([anna, ben]);
    const { view } = await opened(board);

    board.set(anAgent({ id: "carl" }));
    board.remove("ben");
    const update = await view.update();

    expect(update.html).toContain('hx-target="#agent-rows" hx-swap="beforeend"><li class="agent');
    expect(update.html).toContain('id="agent-row-carl"');
    expect(update.html).toContain('<hx-partial hx-target="#agent-row-ben" hx-swap="delete">');
    expect(update.html).not.toContain("agent-row-anna");
  });

  test("turns into a board with the first agent, and back with the last", async () => {
    const board = watch([]);
    const { view } = await opened(board);

    board.set(anna);
    const first = await view.update();
    board.remove("anna");
    const last = await view.update();

    expect(first.html).toContain('hx-target="#agents" hx-swap="outerMorph"');
    expect(first.html).toContain('id="agent-row-anna"');
    expect(last.html).toContain("Welcome to Headway");
  });

  test("tells of a run that has ended, once", async () => {
    const board = watch([anna]);
    const { view } = await opened(board);

    board.set(
      anna,
      aGlance({ lastRun: aLastRun({ runId: "run_7", state: "failed", errorCode: "stalled" }) }),
    );
    const first = await view.update();
    board.announce("anna");
    const second = await view.update();

    expect(first.news).toEqual([{ agentId: "anna", runId: "run_7", state: "failed" }]);
    expect(second).toMatchObject({ news: [], html: "" });
  });

  test("looks at the CLIs again when a run has ended, and shows what that changes for other agents", async () => {
    const missing = { what: "install" as const, advice: "Install it.", command: "npm install" };
    const findings = [aFinding({ cli: "demo", found: false }, [missing])];
    const board = watch([anna, ben], { findings });
    const { view } = await opened(board);

    board.machine.findings = [aFinding({ cli: "demo" })];
    board.set(anna, aGlance({ lastRun: aLastRun() }));
    const update = await view.update();

    expect(update.html).toContain('hx-target="#agent-row-ben"');
    expect(update.html).not.toContain("CLI not found");
    expect(update.html).toContain("2 agents, idle");
  });

  test("leaves agents alone that are too old for a full page, and begins a new page with the next one", async () => {
    const oldest = anAgent({ id: "oldest", createdAt: "2026-01-01T00:00:00.000Z" });
    const many = Array.from({ length: 200 }, (_, index) => anAgent({ id: `agent-${index}` }));
    const board = watch([...many, oldest], { listed: 200 });
    const { view } = await opened(board);

    board.set({ ...oldest, queueLength: 3 }, aGlance({ lastRun: aLastRun() }));
    const ofOldest = await view.update();
    board.set(anAgent({ id: "newest", createdAt: "2026-12-01T00:00:00.000Z" }));
    const ofNewest = await view.update();

    expect(ofOldest).toMatchObject({ html: "", news: [] });
    expect(ofNewest.html).toStartWith('<hx-partial hx-target="#agents" hx-swap="outerMorph">');
    expect(ofNewest.html).toContain('<a href="/?cursor=older">Older agents</a>');
  });
});
