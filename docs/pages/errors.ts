import { problems, runErrors } from "../../src/domain/error-codes.ts";
import type { FailureRow } from "../../src/domain/failure-row.ts";
import { failureRows, unexplainedFailure } from "../../src/domain/failure-taxonomy.ts";
import { cliNamesShown } from "../../src/views/wording.ts";
import { code, page, table } from "./markdown.ts";

const problemsIntroduction = `A refused request is answered with \`application/problem+json\` (RFC 9457):
\`{type, title, status, detail, code, requestId, errors?}\`. \`code\` is one of this closed list; \`detail\` says
what was wrong this time, and \`errors\` which values. 429 and 503 come with \`Retry-After\`. A refusal leaves
no trace: nothing was stored and nothing started.`;

const runErrorsIntroduction = `A run that ended otherwise than well has \`error: {code, message, runbook}\` with one of these codes.
\`runbook\` leads to the code's place on the server's own page. "again" says whether the same prompt sent once
more may help without anything being changed before; \`POST /api/runs/{runId}/retry\` does that. "counts" says
whether it speaks against the service, that is against the CLI or its provider: not what the prompt, the agent's
settings or Headway itself brought about, and not what is known before anything starts. A \`spawn_error\` counts
where the CLI is what can't be started, because it isn't executable or lacks its interpreter, say. It doesn't
where the machine or Headway refused: too little memory, no process, descriptor or room on a disk left, no home
folder, a file policy that can't be kept, or an earlier process of the conversation that could not be ended.`;

const failuresIntroduction = `The CLIs' exit codes lie in both directions, they are silent for minutes, and each has words of its own. This
is what is known of them, in the order in which it is looked for: words and statuses in what they said of a
failed turn, and at the end of their stderr when they ended without a result. "again" and "counts" are as above,
but of this one case. "known from" names the recordings, below \`test/fixtures\`, that prove it.`;

export function errorsPage(): string {
  return page("Error codes", "src/domain/error-codes.ts and src/domain/failure-*.ts", [
    "## Refused requests",
    problemsIntroduction,
    table(["code", "status", "meaning"], problemRows()),
    "## Runs that did not succeed",
    runErrorsIntroduction,
    table(["code", "again", "counts", "what happened", "what to do"], runErrorRows()),
    "## What the CLIs do",
    failuresIntroduction,
    table(
      ["seen", "of", "code", "again", "counts", "what happened, and what to do", "known from"],
      [...failureRows, unexplainedFailure].map(failureCells),
    ),
  ]);
}

function problemRows(): string[][] {
  return Object.entries(problems).map(([name, { status, title }]) => [code(name), String(status), title]);
}

function runErrorRows(): string[][] {
  return Object.entries(runErrors).map(([name, { message, retry, countsAgainstService, advice }]) => [
    `${anchor(`error-${name}`)}${code(name)}`,
    yesOrNo(retry),
    yesOrNo(countsAgainstService),
    message,
    advice,
  ]);
}

function failureCells(row: FailureRow): string[] {
  return [
    `${anchor(`failure-${row.id}`)}${row.seen}`,
    row.clis === "all" ? "any" : row.clis.map((cli) => cliNamesShown[cli]).join(", "),
    code(row.code),
    yesOrNo(row.retry),
    yesOrNo(row.countsAgainstService),
    `${row.sentence} ${row.advice}`,
    "source" in row.evidence ? row.evidence.source : row.evidence.recordings.map(code).join(", "),
  ];
}

/** The names that `runbookOf` gives to places on the server's own page hold here, too. */
function anchor(id: string): string {
  return `<a id="${id}"></a>`;
}

function yesOrNo(is: boolean): string {
  return is ? "yes" : "no";
}
