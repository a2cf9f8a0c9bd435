import type { FailureRow } from "./failure-row.ts";

/** How agents that speak ACP fail; the protocol gives few codes, so their words tell more. */
export const acpFailures: readonly FailureRow[] = [
  {
    id: "acp-sign-in",
    clis: ["acp"],
    seen: 'JSON-RPC error -32000, "Authentication required", "invalid x-api-key"',
    traces: {
      wording:
        /authentication required|authentication failed|unauthori[sz]ed|(?:invalid|incorrect|missing) (?:\w+ )?(?:x-)?api[ -]?key|not (?:logged|signed) in|please (?:run )?\/?log ?in/i,
    },
    code: "auth_required",
    sentence: "The ACP agent is not signed in, or its key was refused.",
    advice: "Sign in to the agent in a terminal, as the user that runs Headway, then send it again.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["recordings/opencode/1.18.33/acp_errors"] },
  },
  {
    id: "acp-rate-limit",
    clis: ["acp"],
    seen: '"Rate limited", "Too many requests", a quota that is used up',
    traces: { wording: /rate.?limit|too many requests|quota (?:exceeded|exhausted)|usage limit/i },
    code: "rate_limited",
    sentence: "The model's provider limits the rate of requests.",
    advice: "Wait until the limit is over, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/opencode/1.18.33/acp_errors"] },
  },
  {
    id: "acp-overloaded",
    clis: ["acp"],
    seen: '"Overloaded", "Service unavailable", "Internal server error"',
    traces: {
      wording: /overloaded|service unavailable|internal server error|bad gateway|gateway time-?out/i,
    },
    code: "overloaded",
    sentence: "The model's provider is overloaded or failing.",
    advice: "Wait a few minutes, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { source: "opencode 1.18.33 asks again and again, for longer than a recording can wait." },
  },
  {
    id: "acp-session-unknown",
    clis: ["acp"],
    seen: '"Session not found"',
    traces: { wording: /session (?:\S+ )?not found/i },
    code: "session_lost",
    sentence: "The ACP agent has lost the session of this conversation.",
    advice: "Send it again: a fresh session is told the conversation so far.",
    countsAgainstService: false,
    retry: true,
    evidence: {
      source:
        "Agents word it as they like; whatever keeps a session from being loaded is taken for its loss (recordings/opencode/1.18.33/acp_load_unknown).",
    },
  },
];
