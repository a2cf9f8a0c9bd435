import { problems, runErrors } from "../../src/domain/error-codes.ts";
import { code, page, table } from "./markdown.ts";

const problemsIntroduction = `A refused request is answered with \`application/problem+json\` (RFC 9457):
\`{type, title, status, detail, code, requestId, errors?}\`. \`code\` is one of this closed list; \`detail\` says
what was wrong this time, and \`errors\` which values. 429 and 503 come with \`Retry-After\`. A refusal leaves
no trace: nothing was stored and nothing started.`;

const runErrorsIntroduction = `A run that ended otherwise than well has \`error: {code, message, runbook}\` with one of these codes.
"again" says whether the same prompt sent once more may help without anything being changed before.
\`POST /api/runs/{runId}/retry\` does that.`;

export function errorsPage(): string {
  const problemRows = Object.entries(problems).map(([name, { status, title }]) => [
    code(name),
    String(status),
    title,
  ]);
  const runRows = Object.entries(runErrors).map(([name, { message, retry, advice }]) => [
    code(name),
    retry ? "yes" : "no",
    message,
    advice,
  ]);
  return page("Error codes", "src/domain/error-codes.ts", [
    "## Refused requests",
    problemsIntroduction,
    table(["code", "status", "meaning"], problemRows),
    "## Runs that did not succeed",
    runErrorsIntroduction,
    table(["code", "again", "meaning", "what to do"], runRows),
  ]);
}
