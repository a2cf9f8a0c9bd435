import { describe, expect, test } from "bun:test";
import { AgentRow } from "../../src/views/agents/agent-row.tsx";
import { Board } from "../../src/views/agents/agents-page.tsx";
import { FirstRun } from "../../src/views/agents/first-run.tsx";
import { renderHtml } from "../../src/views/render.ts";
import { anAgent, eventsOf } from "../helpers/records.ts";
import { aFinding, aGlance, aLastRun, anActiveRun, aSight } from "../helpers/sights.ts";

const hostile = `"><script>alert(1)</script><b hx-get='/x`;
const escaped = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b hx-get=&#39;/x";
const running = anAgent({ status: "running", activeRunId: "run_2" });
const contained = { rung: "bwrap", degradedBecause: null, sandboxOff: false };

function usingTool(name: string, input: unknown) {
  const [lastEvent = null] = eventsOf("run_2", [{ type: "tool.started", toolId: "t", name, input }]);
  return aSight({ agent: running, glance: aGlance({ active: anActiveRun({ lastEvent }) }) });
}

describe("foreign text on the board", () => {
  test.each([
    ["a folder", <AgentRow sight={aSight({ agent: anAgent({ cwd: hostile }) })} />],
    ["a model", <AgentRow sight={aSight({ agent: anAgent({ model: hostile }) })} />],
    ["a last line", <AgentRow sight={aSight({ glance: aGlance({ lastLine: hostile }) })} />],
    ["a tool's name", <AgentRow sight={usingTool(hostile, {})} />],
    ["a tool's input", <AgentRow sight={usingTool("Bash", { command: hostile })} />],
    ["a version", <AgentRow sight={aSight({ finding: aFinding({ version: hostile }) })} />],
    ["a program's path", <FirstRun findings={[aFinding({ path: hostile })]} containment={contained} />],
    [
      "why containment is degraded",
      <FirstRun findings={[]} containment={{ ...contained, degradedBecause: hostile }} />,
    ],
  ])("%s is text", (_, view) => {
    const html = renderHtml(view);

    expect(html).toContain(escaped);
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<b hx-get");
  });
});

describe("a row of the board", () => {
  test("leads to the agent, and from a failure to its run, which it tells in plain words", () => {
    const lastRun = aLastRun({ state: "timed_out", errorCode: "stalled" });

    const html = renderHtml(<AgentRow sight={aSight({ glance: aGlance({ lastRun }) })} />);

    expect(html).toContain('href="/agents/helper"');
    expect(html).toContain('<span class="chip state-timed_out">timed out</span>');
    expect(html).toContain('href="/runs/run_1">The CLI showed no sign of life for too long.</a>');
  });

  test("says how to sign in", () => {
    const lastRun = aLastRun({ state: "failed", errorCode: "auth_required" });

    const html = renderHtml(<AgentRow sight={aSight({ glance: aGlance({ lastRun }) })} />);

    expect(html).toContain("needs sign-in");
    expect(html).toContain('<code class="command">claude login</code>');
  });

  test("counts the time of a run in progress from its start", () => {
    const html = renderHtml(<AgentRow sight={usingTool("Bash", { command: "npm test" })} />);

    expect(html).toContain('data-since="2026-11-22T10:00:00.000Z"');
    expect(html).toContain('<span class="tool-name">Bash</span> <code>npm test</code>');
  });
});

describe("the first page that somebody sees", () => {
  const show = (...findings: Parameters<typeof aFinding>[]) =>
    renderHtml(
      <Board
        sights={[]}
        rows={[]}
        findings={findings.map((finding) => aFinding(...finding))}
        containment={contained}
        olderPath={null}
      />,
    );

  test("offers an agent with the CLI that was found, and the demo", () => {
    const html = show([{ cli: "claude" }], [{ cli: "demo" }]);

    expect(html).toContain('class="button primary" href="/agents/new?cli=claude"');
    expect(html).toContain('action="/demo-agent"');
    expect(html).toContain("2.1.330");
  });

  test("offers the demo first when nothing else was found, and the command that changes that", () => {
    const install = { what: "install" as const, advice: "Install it.", command: "npm install it" };

    const html = show([{ cli: "claude", found: false }, [install]], [{ cli: "demo" }]);

    expect(html).toContain('<button class="primary">Start with a demo agent</button>');
    expect(html).toContain('href="/agents/new?cli=demo"');
    expect(html).toContain('<code class="command" id="command-claude-install">npm install it</code>');
    expect(html).toContain('data-copy="#command-claude-install"');
  });
});
