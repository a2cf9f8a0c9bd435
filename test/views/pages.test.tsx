import { describe, expect, test } from "bun:test";
import { AgentList } from "../../src/views/agents-page.tsx";
import { Answer, PartView } from "../../src/views/answer.tsx";
import { UserTurn, WaitingList } from "../../src/views/conversation.tsx";
import { ErrorPage } from "../../src/views/error-page.tsx";
import { ContainmentBanner, type Frame, renderDocument } from "../../src/views/layout.tsx";
import { LoginPage } from "../../src/views/login.tsx";
import { RunPage } from "../../src/views/run-page.tsx";
import { anAgent, aRun, aTurn, eventsOf } from "../helpers/records.ts";
import { renderHtml } from "../../src/views/render.ts";

const frame: Frame = {
  assetUrl: (name) => `/assets/${name}`,
  version: "1.2.3",
  containment: { rung: "bwrap", degradedBecause: null, sandboxOff: false },
};
const hostile = `"><script>alert(1)</script><b a='`;
const escaped = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b a=&#39;";

describe("foreign text in a page", () => {
  test.each([
    ["a prompt", <UserTurn turn={aTurn({ content: hostile })} />],
    ["a waiting prompt", <WaitingList waiting={[aTurn({ content: hostile, seq: null, pending: true })]} />],
    ["a folder", <AgentList agents={[anAgent({ cwd: hostile })]} more={false} />],
    [
      "a tool's name",
      <PartView
        runId="run_1"
        html=""
        part={{ part: 0, kind: "tool", toolId: "t", name: hostile, input: {}, result: null }}
      />,
    ],
    [
      "a tool's output",
      <PartView
        runId="run_1"
        html=""
        part={{
          part: 0,
          kind: "tool",
          toolId: "t",
          name: "Bash",
          input: {},
          result: { isError: false, output: hostile },
        }}
      />,
    ],
    [
      "a notice",
      <PartView runId="run_1" html="" part={{ part: 0, kind: "notice", code: "x", message: hostile }} />,
    ],
    [
      "an error",
      <Answer
        run={{
          id: "run_1",
          state: "failed",
          error: { code: "cli_error", message: hostile, runbook: "/api/docs#error-cli_error" },
          endedAt: null,
          hasPage: true,
        }}
        name="helper"
      >
        {[]}
      </Answer>,
    ],
    [
      "an event",
      <RunPage
        frame={frame}
        run={aRun()}
        events={eventsOf("run_1", [{ type: "text", block: 0, text: hostile }])}
        problem={null}
      />,
    ],
    ["a run's prompt", <RunPage frame={frame} run={aRun({ prompt: hostile })} events={[]} problem={null} />],
    ["an error page's detail", <ErrorPage frame={frame} status={404} title="No" detail={hostile} />],
    ["where a login leads to", <LoginPage frame={frame} next={hostile} problem={null} />],
  ])("%s is text", (_, view) => {
    const html = renderHtml(view);

    expect(html).toContain(escaped);
    expect(html).not.toContain("<script>alert");
  });
});

describe("an answer", () => {
  const show = (state: "cancelled" | "succeeded" | "interrupted") =>
    renderHtml(
      <Answer run={{ id: "run_1", state, error: null, endedAt: null, hasPage: true }} name="helper">
        {[]}
      </Answer>,
    );

  test("that ended well says nothing of its state and offers nothing", () => {
    expect(show("succeeded")).not.toContain("chip");
    expect(show("succeeded")).not.toContain("Try again");
  });

  test("that was stopped or cut short says so and can be asked for again", () => {
    expect(show("cancelled")).toContain("Stopped; what stands above is as far as it came.");
    expect(show("interrupted")).toContain("This answer is incomplete.");
    expect(show("interrupted")).toContain('action="/runs/run_1/retry"');
  });
});

describe("agents at a glance", () => {
  test("a demo agent is called one", () => {
    expect(renderHtml(<AgentList agents={[anAgent()]} more={false} />)).toContain(
      '<span class="chip cli-demo">demo</span>',
    );
  });

  test("a status tells how many messages wait", () => {
    const agent = anAgent({ status: "running", queueLength: 3 });

    expect(renderHtml(<AgentList agents={[agent]} more={false} />)).toContain("running, 3 waiting");
  });
});

describe("the banner", () => {
  const banner = (containment: Frame["containment"]) =>
    renderHtml(<ContainmentBanner containment={containment} />);

  test("is absent while containment is as good as it gets", () => {
    expect(banner(frame.containment)).not.toContain("banner");
  });

  test("says that the sandbox is off", () => {
    expect(banner({ ...frame.containment, sandboxOff: true })).toContain("The sandbox is off.");
  });

  test("says why containment is degraded", () => {
    const degraded = banner({
      rung: "process-group",
      degradedBecause: "bwrap was not found.",
      sandboxOff: false,
    });

    expect(degraded).toContain("process-group");
    expect(degraded).toContain("bwrap was not found.");
  });
});

describe("a whole page", () => {
  test("is a document that needs no scripts before anybody is logged in", () => {
    const html = renderDocument(<LoginPage frame={frame} next="/" problem="This token is not right." />);

    expect(html).toStartWith('<!doctype html><html lang="en">');
    expect(html).not.toContain("<script");
    expect(html).toContain('aria-invalid="true"');
    expect(html).toContain("This token is not right.");
  });
});
