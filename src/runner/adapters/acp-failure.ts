import { classifyFailure, findFailure } from "../../domain/failure-taxonomy.ts";
import type { AcpAgent } from "./acp-dialect.ts";
import { errorSchema } from "./acp-lines.ts";
import type { Failure, UnfinishedExit } from "./adapter.ts";
import { apiErrorIn } from "./api-error.ts";
import { errorText, errorTextChars, inPlainWords, withSignInAdvice } from "./error-text.ts";
import { explainedExit } from "./exit-words.ts";

/** ACP's own code for a session that is asked for without a sign-in. */
const authRequired = -32000;

/** What an error of JSON-RPC means. */
export function failureOf({ cli }: AcpAgent, refusal: unknown): Failure {
  const error = errorSchema.safeParse(refusal).data ?? {};
  const apiError = apiErrorIn(error.message ?? "");
  const details = error.data?.details ?? "";
  const said = `${error.message ?? ""}\n${details}`;
  const known = classifyFailure({ cli, httpStatus: apiError?.code ?? httpStatusOf(error.code), text: said });
  const code = error.code === authRequired ? "auth_required" : known.code;
  const words = apiError?.message ?? (isBare(error.message) && details !== "" ? details : error.message);
  const message =
    inPlainWords(withoutPrefix(errorText(words ?? "").trim())) ||
    "The agent reported an error without a word about it.";
  return withSignInAdvice({ code, message: message.slice(0, errorTextChars) }, known);
}

/** Gemini also says 500 when it knows no status: a stream that broke off (recording acp_errors). */
function httpStatusOf(code: number | undefined): number | null {
  return code !== undefined && code >= 400 && code < 600 && code !== 500 ? code : null;
}

function isBare(message: string | undefined): boolean {
  return message === undefined || message === "" || message === "Internal error";
}

/** The name of JSON-RPC's own error says nothing to people (opencode, recording acp_errors). */
function withoutPrefix(message: string): string {
  return message.replace(/^Internal error: /, "");
}

/** Why a process ended without having ended its turn. */
export function explainAcpExit({ cli }: AcpAgent, exit: UnfinishedExit): Failure {
  const said = errorText(exit.stderrTail).trim().slice(-errorTextChars);
  const known = findFailure({ cli, text: said, exitCode: exit.exitCode });
  return withSignInAdvice(explainedExit(exit, said, known), known);
}
