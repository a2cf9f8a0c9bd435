import { type FaultGroup, faultGroups } from "../../test/faults/cases.ts";
import type { FaultCase, Proof } from "../../test/faults/fault-case.ts";
import { code, page, table } from "./markdown.ts";

const introduction = `What may go wrong, what comes of it, and the tests that prove it. After each fault the data is
whole, no process is left, and the agent's next ordinary turn succeeds, unless the case itself says otherwise. The
list is \`test/faults/*-cases.ts\`; \`test/faults/cases.test.ts\` fails when a case is lost, when a test that is named
here is lost or renamed, and when a case promises a code that its tests don't name. The group of tmux comes with tmux.`;

export function faultsPage(): string {
  return page("Faults", "test/faults", [introduction, ...faultGroups.flatMap(groupOf)]);
}

function groupOf({ title, cases }: FaultGroup): string[] {
  return [`## ${title}`, table(["case", "fault", "outcome", "proven by"], cases.map(rowOf))];
}

function rowOf({ id, fault, outcome, provenBy, leftOut }: FaultCase): string[] {
  if (leftOut !== undefined) return [id, fault, `Left out: ${leftOut}`, ""];
  return [id, fault, outcome, provenBy.map(proofOf).join("<br>")];
}

function proofOf({ file, title, row }: Proof): string {
  return `${code(file)}: ${row ?? title}`;
}
