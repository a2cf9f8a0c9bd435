import { describe, expect, test } from "bun:test";
import { escapes } from "../../src/domain/containment-report.ts";
import { AgentTrouble } from "../../src/views/agents/agent-trouble.tsx";
import { ComposerNotice } from "../../src/views/chat/agent-page.tsx";
import { attentionOf, countAttention } from "../../src/views/health/health-facts.ts";
import { HealthSection, HealthSummary, sectionNames } from "../../src/views/health/health-page.tsx";
import { QuarantineChecked } from "../../src/views/health/quarantine-section.tsx";
import { HealthMark } from "../../src/views/layout.tsx";
import { renderHtml } from "../../src/views/render.ts";
import { hostileMarkdown } from "../fixtures/hostile-markdown.ts";
import {
  aContainmentReport,
  aDegradedReport,
  anOpenBreaker,
  someHealth,
  someWork,
} from "../helpers/health-records.ts";
import { anAgent } from "../helpers/records.ts";

/** What can be read, in one line. */
function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replace(/\s+/g, " ")
    .trim();
}

type SectionName = (typeof sectionNames)[number];
const section = (name: SectionName, given: Parameters<typeof someHealth>[0] = {}) =>
  renderHtml(<HealthSection name={name} facts={someHealth(given)} />);

describe("what needs attention", () => {
  test("is nothing while all is well", () => {
    const facts = someHealth({ breakers: [anOpenBreaker({ state: "closed", cause: null })] });

    const html = renderHtml(<HealthSummary concerns={facts} />);

    expect(attentionOf(facts)).toEqual([]);
    expect(textOf(html)).toBe("All is well: nothing needs you.");
    expect(textOf(renderHtml(<HealthMark attention={0} />))).toBe("");
  });

  test("is told by kind, the gravest first, each with a link to its section, and counted one by one", () => {
    const facts = someHealth({
      store: { failure: "the disk is full", freeBytes: 0 },
      quarantined: [{ agentId: "ben", sinceMs: 0 }],
      breakers: [anOpenBreaker(), anOpenBreaker({ agentId: "carl", state: "half_open" })],
      containment: aDegradedReport(),
    });

    const html = renderHtml(<HealthSummary concerns={facts} />);

    expect(attentionOf(facts).map(({ section: name, sentence }) => [name, sentence])).toEqual([
      ["store", "The store takes no writes."],
      ["quarantine", "In quarantine: ben."],
      ["breakers", "Circuit breaker open: anna."],
      ["breakers", "Circuit breaker half open: carl."],
      ["containment", "Containment is degraded."],
    ]);
    for (const name of ["store", "quarantine", "breakers", "containment"]) {
      expect(html).toContain(`href="#health-${name}"`);
    }
    expect(countAttention(facts)).toBe(5);
    expect(textOf(renderHtml(<HealthMark attention={5} />))).toBe(": 5 ! need attention");
  });

  test("names a few of many agents", () => {
    const quarantined = Array.from({ length: 8 }, (_, index) => ({ agentId: `a${index}`, sinceMs: 0 }));

    const [attention] = attentionOf(someHealth({ quarantined }));

    expect(attention).toMatchObject({ count: 8, sentence: "In quarantine: a0, a1, a2, a3, a4 and 3 more." });
  });

  test("is a sandbox that is off, and not also that containment is degraded for it", () => {
    const containment = { ...aDegradedReport(), sandboxOff: true };

    expect(attentionOf(someHealth({ containment }))).toMatchObject([{ sentence: "The sandbox is off." }]);
  });
});

describe("containment", () => {
  test("says that it is full, by which means, and what the self-test tried", () => {
    const text = textOf(section("containment"));

    expect(text).toContain("full Every run has a process namespace of its own, made by bubblewrap");
    expect(text).toContain("can keep it from writing outside of its folder and its CLI's own");
    expect(text.match(/nothing lives on nothing lives on/g)).toHaveLength(escapes.length);
    expect(text).toContain("Tested 2026-11-22 10:00:00 UTC");
    expect(text).not.toContain("earlier start");
  });

  test("says what is missing, what to install, what lived on and what could not be tried", () => {
    const text = textOf(section("containment", { containment: aDegradedReport() }));

    expect(text).toContain("degraded Every run is a process group");
    expect(text).toContain("bwrap isn't installed");
    expect(text).toContain("What to do: Install bubblewrap: sudo apt install bubblewrap");
    expect(text).toContain(
      "goes on in a new process all the time 3 processes live on not tried: no helper could be started",
    );
    expect(text).toContain("can't be kept from writing outside of their folders");
  });

  test("isn't known before the self-test has ended", () => {
    const containment = aContainmentReport({ status: "unknown", tests: [], testedAt: null });

    const text = textOf(section("containment", { containment }));

    expect(text).toContain("not known yet");
    expect(text).toContain("The self-test runs shortly after the start");
  });

  test("says who holds runs to their memory limit, and why it isn't the kernel", () => {
    const byKernel = textOf(section("containment", { containment: aContainmentReport() }));
    const byLooks = textOf(section("containment", { containment: aDegradedReport() }));

    expect(byKernel).toContain("The kernel itself holds every run to its memory limit, by a control group.");
    expect(byLooks).toContain("ends one that is above its limit. HEADWAY_CGROUP is off.");
  });

  test("warns of a sandbox that is off, and tells a result of an earlier start from one of this", () => {
    const containment = aContainmentReport({ sandboxOff: true, cached: true });

    const text = textOf(section("containment", { containment }));

    expect(text).toContain("The sandbox is off.");
    expect(text).toContain("at an earlier start with the same tools");
  });
});

describe("circuit breakers", () => {
  test("that are open say why, since when, until when and what to do, and can be tried at once", () => {
    const html = section("breakers", { breakers: [anOpenBreaker()] });

    const text = textOf(html);
    expect(text).toContain("anna open The model's provider is overloaded or failing. Wait a few minutes");
    expect(text).toContain("It takes no messages until 2026-11-22 10:00:30 UTC ; then one is let through");
    expect(text).toContain("Open since 2026-11-22 10:00:00 UTC , 5 failures in a row");
    expect(html).toContain('action="/agents/anna/breaker/reset"');
    expect(html).toContain('href="/runs/run_7"');
  });

  test("that are half open wait for their probe and need no button", () => {
    const html = section("breakers", { breakers: [anOpenBreaker({ state: "half_open", retryAt: null })] });

    expect(textOf(html)).toContain("One message is let through as a probe");
    expect(html).not.toContain("<form");
  });

  test("tell what they did, the newest first, whoever's it was", () => {
    const change = { from: "open", to: "closed", reason: "reset", runId: null, code: null } as const;
    const breakers = [
      anOpenBreaker(),
      anOpenBreaker({
        agentId: "ben",
        state: "closed",
        cause: null,
        failures: 0,
        changes: [{ at: "2026-11-22T11:00:00.000Z", ...change }],
      }),
    ];

    const html = section("breakers", { breakers });

    const text = textOf(html.slice(html.indexOf("<details")));
    expect(text).toBe(
      "What the breakers did: 2 changes 2026-11-22 11:00:00 UTC ben : open → closed, closed by hand " +
        "2026-11-22 10:00:00 UTC anna : closed → open, too many failures in a row ( overloaded ) See the run",
    );
  });

  test("don't give an advice twice that the failure itself ends with", () => {
    const cause = { code: "cli_error", message: "It broke. Mend it.", advice: "Mend it.", runId: null };

    const text = textOf(section("breakers", { breakers: [anOpenBreaker({ cause })] }));

    expect(text.split("Mend it.")).toHaveLength(2);
  });
});

describe("an agent's own pages", () => {
  const trouble = (given: Parameters<typeof anAgent>[0], breaker = anOpenBreaker()) =>
    renderHtml(<AgentTrouble agent={anAgent({ id: "anna", ...given })} breaker={breaker} from="agent" />);
  const open = { state: "open" as const, failures: 5, retryAt: "2026-11-22T10:00:30.000Z" };

  test("have nothing to say of one that takes messages", () => {
    const notice = renderHtml(<ComposerNotice agent={anAgent()} />);

    expect(trouble({})).toBe("");
    expect(textOf(notice)).toBe("");
  });

  test("say why an open breaker lets nothing through, until when, and how to try at once", () => {
    const html = trouble({ breaker: open });
    const notice = renderHtml(<ComposerNotice agent={anAgent({ id: "anna", breaker: open })} />);

    expect(textOf(html)).toContain("The circuit breaker of anna is open. The model's provider is overloaded");
    expect(textOf(html)).toContain("until 2026-11-22 10:00:30 UTC");
    expect(textOf(html)).toEndWith("Try again now (anna)");
    expect(textOf(notice)).toContain("anna takes no messages now.");
  });

  test("say what quarantine is, and how it ends, whatever the breaker does", () => {
    const html = trouble({ status: "quarantined", breaker: open });

    expect(textOf(html)).toStartWith("anna is in quarantine.");
    expect(html).toContain('action="/agents/anna/quarantine/recheck"');
    expect(html).not.toContain("breaker");
  });
});

test("a look at quarantined processes tells what it has brought", () => {
  const said = (quarantined: boolean, survivors: number) =>
    textOf(renderHtml(<QuarantineChecked {...{ agentId: "anna", quarantined, survivors }} />));

  expect(said(false, 0)).toStartWith("anna is free");
  expect(said(true, 1)).toContain("1 process of its earlier runs lives on");
  expect(said(true, 3)).toContain("3 processes of its earlier runs live on");
  expect(said(true, 0)).toBe("anna stays in quarantine.");
});

test("work is shown with what is allowed, who waits, and that nothing new begins", () => {
  const work = someWork({ waiting: [{ agentId: "ben", messages: 1 }], isDraining: true });

  const text = textOf(section("work", { work }));

  expect(text).toContain("The server is shutting down.");
  expect(text).toContain("Runs in progress 2 of 10 Messages that wait 1 CLI processes kept warm 1 of 4");
  expect(text).toContain("Event streams 3 of 2,000 Who has messages waiting ben : 1 message");
});

test("the store says why it takes no writes, and how much room there is", () => {
  const store = { failure: "the disk is full", freeBytes: 12_000_000 };

  expect(textOf(section("store", { store }))).toContain("takes no writes: the disk is full.");
  expect(textOf(section("store", { store }))).toContain("11.4 MiB free");
  expect(textOf(section("store"))).toBe("Store The store takes writes. 20 GiB free on its disk.");
});

test("texts of CLIs and of the machine are text, and can't turn what stands around them", () => {
  const texts = [...hostileMarkdown, "\u202egnp.exe", "\u001b[2J"];

  for (const text of texts) {
    const cause = { code: "cli_error", message: text, advice: text, runId: null };
    const note = { survivors: null, note: text };
    const tests = aContainmentReport().tests.map((each) => ({ ...each, ...note }));
    const facts = someHealth({
      breakers: [anOpenBreaker({ cause })],
      containment: aContainmentReport({ because: text, fix: text, tests }),
      store: { failure: text, freeBytes: null },
    });

    const html = sectionNames.map((name) => renderHtml(<HealthSection name={name} facts={facts} />)).join("");

    expect(
      html.replace(
        /<\/?(?:section|h2|h3|p|span|a|article|form|input|button|details|summary|ol|ul|li|time|code|strong|dl|div|dt|dd|table|thead|tbody|tr|th|td)\b[^<>]*>/g,
        "",
      ),
    ).not.toMatch(/</);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for.
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u001b]/);
  }
});
