import { describe, expect, test } from "bun:test";
import { renderHtml } from "../../src/views/render.ts";
import {
  ResumeCommand,
  resumeCommandOf,
  type SessionPlace,
  shellQuoted,
} from "../../src/views/chat/resume-command.tsx";

const session = "6f1c1c1e-3d2a-4a57-9a51-0f5d9a0c2b11";
const aPlace = (given: Partial<SessionPlace> = {}): SessionPlace => ({
  cli: "claude",
  acpAgent: null,
  cliSessionId: session,
  cwd: "/srv/project",
  ...given,
});

/** What a shell makes of the words. */
function echoed(line: string): string {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s' ${line}`], { env: {} });
  return stdout.toString();
}

describe("the command that goes on in a terminal", () => {
  test("goes to the folder and resumes the session", () => {
    expect(resumeCommandOf(aPlace())).toBe(`cd /srv/project && claude --resume ${session}`);
    expect(resumeCommandOf(aPlace({ cli: "gemini" }))).toBe(`cd /srv/project && gemini --resume ${session}`);
    expect(resumeCommandOf(aPlace({ cli: "droid" }))).toBe(`cd /srv/project && droid --resume ${session}`);
  });

  test.each([
    "it's",
    "two words",
    "$(touch /tmp/pwned)",
    "`id`",
    "a;b&c|d",
    "*?[x]",
    "~/home",
    '"quoted"',
    "back\\slash",
    "-rf",
    "",
    "!history",
    "ünïcödé 東京",
  ])("quotes %j so that a shell reads it as one word, as it is", (text) => {
    expect(echoed(shellQuoted(text))).toBe(text);
  });

  test.each([
    ["the CLI has confirmed no session", aPlace({ cliSessionId: null })],
    ["no command is known for the CLI", aPlace({ cli: "acp" })],
    ["it is the demo agent", aPlace({ cli: "demo" })],
    ["the folder's name ends a paste", aPlace({ cwd: "/srv/\u001b[201~rm -rf" })],
    ["the folder's name has a line end", aPlace({ cwd: "/srv/a\nb" })],
    ["the folder's name runs from right to left", aPlace({ cwd: "/srv/\u202etxt" })],
    ["the session reads as an option", aPlace({ cliSessionId: "--dangerous" })],
  ])("isn't given when %s", (_, place) => {
    expect(resumeCommandOf(place)).toBeNull();
  });

  test("has a button that copies it", () => {
    const html = renderHtml(<ResumeCommand {...aPlace()} />);

    expect(html).toContain(`<code id="resume-command">cd /srv/project &amp;&amp; claude --resume ${session}`);
    expect(html).toContain('<button type="button" class="copy" data-copy="#resume-command">');
  });

  test("is replaced by the reason why there is none, and by nothing for the demo agent", () => {
    expect(renderHtml(<ResumeCommand {...aPlace({ cliSessionId: null })} />)).toContain(
      "Claude Code has confirmed no session of it yet.",
    );
    expect(renderHtml(<ResumeCommand {...aPlace({ cwd: "/srv/\u202e" })} />)).toContain("pasted safely");
    expect(renderHtml(<ResumeCommand {...aPlace({ cli: "demo" })} />)).toBe("");
  });

  test.each([
    ["opencode", "opencode"],
    [null, "the ACP agent"],
  ])("is left to the documentation of an ACP agent, here %p, with the session's id", (acpAgent, who) => {
    const html = renderHtml(<ResumeCommand {...aPlace({ cli: "acp", acpAgent })} />);
    const hostile = renderHtml(<ResumeCommand {...aPlace({ cli: "acp", cliSessionId: "s\u202e1" })} />);

    expect(html).toContain(`know how ${who} resumes a session in a terminal; its documentation may tell.`);
    expect(html).toContain(`The session is <code>${session}</code>.`);
    expect(hostile).not.toContain("The session is");
  });

  test("is text, whatever the folder is called", () => {
    const html = renderHtml(<ResumeCommand {...aPlace({ cwd: "/srv/</code><script>alert(1)</script>" })} />);

    expect(html).toContain("&lt;/code&gt;&lt;script&gt;");
    expect(html).not.toContain("<script");
  });
});
