import type { CliFinding } from "../../runner/runner-api.ts";
import { bestCli, choiceText, cliNameShown, newAgentPath, versionShown } from "./cli-choice.ts";
import { CliNeedShown } from "./cli-need.tsx";
import type { Containment } from "../layout.tsx";

/** What somebody meets who has no agent yet: what this is, what to press, and what was found here. */
export function FirstRun(props: { findings: readonly CliFinding[]; containment: Containment }) {
  const { findings, containment } = props;
  return (
    <>
      <h1>Welcome to Headway</h1>
      <p>
        Headway runs coding agents such as Claude Code, Gemini CLI and Droid on this machine, each in a folder
        of its own. You talk to them here, and every message, answer and tool call is kept, whatever becomes
        of the browser, the agent or the server. They go on working while you look elsewhere, and what you
        send meanwhile waits its turn.
      </p>
      <Beginnings findings={findings} />
      <h2>Found on this machine</h2>
      <ul class="findings">
        {findings
          .filter(({ report }) => report.cli !== "demo")
          .map((finding) => (
            <Finding finding={finding} />
          ))}
        <ContainmentFinding containment={containment} />
      </ul>
    </>
  );
}

function Beginnings({ findings }: { findings: readonly CliFinding[] }) {
  const best = bestCli(findings);
  const hasOwn = best.cli !== "demo";
  return (
    <div class="beginnings">
      <form method="post" action="/demo-agent">
        <button class={hasOwn ? undefined : "primary"}>Start with a demo agent</button>
      </form>
      <a class={hasOwn ? "button primary" : "button"} href={newAgentPath(best)}>
        {hasOwn ? `Create an agent with ${cliNameShown(best)}` : "Create an agent"}
      </a>
      <p class="hint">
        The demo agent is a small program that comes with Headway: it talks to no model, needs no account and
        costs nothing.
      </p>
    </div>
  );
}

function Finding({ finding }: { finding: CliFinding }) {
  const { report, carried, missing, hints } = finding;
  return (
    <li class="finding">
      <h3>{cliNameShown(report)}</h3>
      <span class={`chip status-${report.found ? "found" : "absent"}`}>
        {report.found ? "found" : "not found"}
      </span>
      {report.found && (
        <span class="facts">
          {versionShown(finding)} · <span class="path">{report.path}</span>
        </span>
      )}
      {carried ? (
        <>
          {report.found && <SignIn finding={finding} />}
          {report.found && hints.length > 0 && <p class="hint">{hints.join(" ")}</p>}
          {missing.map((need) => (
            <CliNeedShown cli={choiceText(report)} need={need} />
          ))}
          {report.found && (
            <p>
              <a href={newAgentPath(report)}>New agent with {cliNameShown(report)}</a>
            </p>
          )}
        </>
      ) : (
        <p class="hint">This release of Headway can't run it yet.</p>
      )}
    </li>
  );
}

/** A login in a keychain can't be seen, so that not seeing one says nothing. */
function SignIn({ finding: { report, signIn } }: { finding: CliFinding }) {
  if (report.signedIn === "yes") return <p class="hint">Signed in.</p>;
  if (report.signedIn === "no") return <p class="hint">Not signed in.</p>;
  if (signIn === null) return null;
  return (
    <>
      <p class="hint">
        Whether it is signed in can't be seen from here; its first answer will tell. If it isn't:
      </p>
      <CliNeedShown cli={choiceText(report)} need={signIn} />
    </>
  );
}

function ContainmentFinding({ containment }: { containment: Containment }) {
  const { rung, degradedBecause, sandboxOff } = containment;
  const state = sandboxOff ? "off" : degradedBecause === null ? "full" : "degraded";
  return (
    <li class="finding">
      <h3>Containment</h3>
      <span class={`chip status-${state === "full" ? "found" : "absent"}`}>{state}</span>
      <span class="facts">{rung}</span>
      <p class="hint">
        {state === "full"
          ? "Whatever a run starts can be ended with it, and Headway's own data is invisible to it."
          : (degradedBecause ?? "Runs can read Headway's own data, and may leave processes behind.")}
      </p>
    </li>
  );
}
