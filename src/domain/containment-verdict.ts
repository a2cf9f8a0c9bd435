import {
  type ContainmentReport,
  type ContainmentTest,
  type Ending,
  type Escape,
  endings,
} from "./containment-report.ts";
import type { ContainmentRung } from "./process.ts";

export interface ContainmentEvidence {
  rung: ContainmentRung;
  /** Why it isn't the best rung; null when it is. */
  degradedBecause: string | null;
  /** What the self-test saw; empty before it has ended. */
  tests: readonly ContainmentTest[];
  /** Why it could not be made; null when it was, or may yet be. */
  failure: string | null;
}

/** What is known of the containment: only what was tried is called full. */
export function judgeContainment(
  evidence: ContainmentEvidence,
): Pick<ContainmentReport, "status" | "because"> {
  const { rung, degradedBecause, tests, failure } = evidence;
  const reasons = [degradedBecause, failure && `the self-test could not be made: ${failure}`, ...seen(tests)];
  const said = reasons.filter((reason) => reason !== null && reason !== "");
  return { status: statusOf(rung, tests), because: said.length === 0 ? null : sentence(said.join("; ")) };
}

function statusOf(rung: ContainmentRung, tests: readonly ContainmentTest[]): ContainmentReport["status"] {
  if (rung === "process-group" || tests.some(({ survivors }) => (survivors ?? 0) > 0)) return "degraded";
  return tests.length === 0 || tests.some(({ survivors }) => survivors === null) ? "unknown" : "full";
}

const escapesShown: Record<Escape, string> = {
  same_group: "one of the CLI's own process group",
  new_session: "one in a session of its own",
  double_fork: "one that left its parent",
  scrubbed_environment: "one that scrubbed its environment",
  undumpable: "one that nobody may look into",
  fork_hopper: "one that hops from pid to pid",
};

const endingsShown: Record<Ending, string> = { killed: "the kill", server_died: "the server's death" };

/** What lived on, and what could not be tried, by the ending. */
function seen(tests: readonly ContainmentTest[]): string[] {
  return endings.flatMap((ending) => {
    const ofEnding = tests.filter((test) => test.ending === ending);
    const lived = ofEnding.filter(({ survivors }) => (survivors ?? 0) > 0);
    const untried = ofEnding.filter(({ survivors }) => survivors === null);
    return [
      ...(lived.length === 0
        ? []
        : [`of the hostile processes ${shown(lived)} outlived ${endingsShown[ending]}`]),
      ...(untried.length === 0 ? [] : [`${endingsShown[ending]} could not be tried on ${shown(untried)}`]),
    ];
  });
}

function shown(tests: readonly ContainmentTest[]): string {
  return tests.map(({ escape }) => escapesShown[escape]).join(", ");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
