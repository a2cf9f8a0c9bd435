import type { Cli } from "../../domain/agent.ts";
import type { CliFinding } from "../../runner/runner-api.ts";
import { cliNamesShown } from "../wording.ts";

/** By what an agent's CLI is named: ACP agents share one CLI, and have names of their own. */
export interface ChosenCli {
  cli: string;
  acpAgent: string | null;
}

const acpPrefix = "acp:";

/** As one field of a form holds it: "gemini", "acp:opencode". */
export function choiceText({ cli, acpAgent }: ChosenCli): string {
  return acpAgent === null ? cli : `${acpPrefix}${acpAgent}`;
}

/** What such a text means; whether there is such a CLI is another question. */
export function parseChoice(text: string): ChosenCli {
  return text.startsWith(acpPrefix)
    ? { cli: "acp", acpAgent: text.slice(acpPrefix.length) }
    : { cli: text, acpAgent: null };
}

/** "Gemini CLI", "ACP agent opencode". */
export function cliNameShown({ cli, acpAgent }: ChosenCli): string {
  const name = cliNamesShown[cli as Cli] ?? cli;
  return acpAgent === null ? name : `${name} ${acpAgent}`;
}

/** Of one that was found: "2.1.330", "0.38.0, too old". ACP agents aren't asked for theirs. */
export function versionShown({ report, judgement }: CliFinding): string {
  if (report.version === null) return "version not known";
  return judgement === "too_old" ? `${report.version}, too old` : report.version;
}

/** The first CLI that can run now; the demo can at all times, and so comes last. */
export function bestCli(findings: readonly CliFinding[]): ChosenCli {
  const able = findings.filter(({ carried, report }) => carried && report.found);
  const ready = able.find(({ missing }) => missing.length === 0);
  return (ready ?? able[0])?.report ?? { cli: "demo", acpAgent: null };
}

/** The form with a CLI chosen; naming one keeps its address apart from that of an agent called "new". */
export function newAgentPath(chosen: ChosenCli): string {
  return `/agents/new?cli=${encodeURIComponent(choiceText(chosen))}`;
}
