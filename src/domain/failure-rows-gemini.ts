import type { FailureRow } from "./failure-row.ts";

const clis = ["gemini"] as const;
const chooseSignIn = "Start `gemini` in a terminal as the user that runs Headway and choose how to sign in";

/**
 * How Gemini CLI fails in words of its own: in `result.error.message`, in a JSON-RPC error, or at the end of
 * stderr. Its exit codes are HTTP statuses modulo 256 (recordings error_*), besides a few of its own.
 */
export const geminiFailures: readonly FailureRow[] = [
  {
    id: "gemini-auth-type",
    clis,
    seen: '"Invalid auth method selected", exit code 41',
    traces: { wording: /Invalid auth method/i },
    code: "auth_required",
    sentence: "Gemini CLI has not been told how to sign in, although it was given an address of its own.",
    advice:
      'Set `security.auth.selectedType` in ~/.gemini/settings.json ("gemini-api-key", say), or unset GOOGLE_GEMINI_BASE_URL; then send it again.',
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["recordings/gemini/0.61.0/auth_gateway"] },
  },
  {
    id: "gemini-tier-ended",
    clis,
    seen: '"IneligibleTierError", "no longer supported for Gemini Code Assist for individuals"',
    traces: {
      wording:
        /IneligibleTierError|(?:no longer supported|not eligible) for\s+Gemini Code Assist|requires setting the GOOGLE_CLOUD_PROJECT/i,
    },
    code: "auth_required",
    sentence: "Google does not serve this account in Gemini CLI (any more).",
    advice:
      "Use a key from Google AI Studio (start Headway with GEMINI_API_KEY), Vertex AI, or an account with a licence; then send it again.",
    countsAgainstService: true,
    retry: false,
    evidence: {
      source:
        "google-gemini/gemini-cli issues 20425 and 17948, and the program's words, version 0.61.0; it takes an account of Google's to see them.",
    },
  },
  {
    id: "gemini-sign-in-ended",
    clis,
    seen: '"invalid_grant", "Manual authorization is required", "Authentication consent could not be obtained"',
    traces: {
      wording:
        /invalid_grant|Manual authorization is required|Authentication consent could not be obtained|Authentication timed out|Failed to authenticate with/i,
    },
    code: "auth_required",
    sentence: "Gemini CLI's sign-in has ended, and it wants a person at a browser.",
    advice: `${chooseSignIn}, or start Headway with GEMINI_API_KEY; then send it again.`,
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["recordings/gemini/0.61.0/sign_in_ended"] },
  },
  {
    id: "gemini-key-refused",
    clis,
    seen: '"API key not valid", reason `API_KEY_INVALID`, also at status 400',
    traces: { wording: /API key (?:not valid|expired)|API_KEY_INVALID|UNAUTHENTICATED/i, exitCodes: [145] },
    code: "auth_required",
    sentence: "Google refused the key or sign-in that Gemini CLI uses.",
    advice: "Put a valid key into GEMINI_API_KEY and start Headway again, or sign in to Gemini CLI anew.",
    countsAgainstService: true,
    retry: false,
    evidence: {
      recordings: ["recordings/gemini/0.61.0/error_bad_key", "recordings/gemini/0.61.0/error_401"],
    },
  },
  {
    id: "gemini-not-signed-in",
    clis,
    seen: '"Please set an Auth method", "API key is missing or not configured", exit code 41',
    traces: { wording: /set an Auth method|API key is missing or not configured/i, exitCodes: [41] },
    code: "auth_required",
    sentence: "Gemini CLI is not signed in.",
    advice: `${chooseSignIn}, or start Headway with GEMINI_API_KEY; then send it again.`,
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["recordings/gemini/0.61.0/auth_none", "recordings/gemini/0.61.0/acp_no_key"] },
  },
  {
    id: "gemini-untrusted",
    clis,
    seen: '"not running in a trusted directory", exit code 55',
    traces: { wording: /not running in a trusted directory/i, exitCodes: [55] },
    code: "cli_error",
    sentence: "Gemini CLI does not trust the agent's folder.",
    advice: "Start `gemini` in that folder in a terminal and trust it, then send it again.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["recordings/gemini/0.61.0/untrusted_folder"] },
  },
  {
    id: "gemini-session-unknown",
    clis,
    // 42 alone is no proof: it also is what an empty prompt ends with (recording empty_prompt).
    seen: '"Error resuming session", "Invalid session identifier", exit code 42',
    traces: {
      wording:
        /Error (?:resuming|starting) session|Invalid session identifier|No previous sessions found|Session ID \S+ already exists/i,
    },
    code: "session_lost",
    sentence:
      "Gemini CLI has not got the session of this conversation; it looks only in the folder where it began.",
    advice: "Send it again: a fresh session is told the conversation so far.",
    countsAgainstService: false,
    retry: true,
    evidence: {
      recordings: [
        "recordings/gemini/0.61.0/resume_unknown",
        "recordings/gemini/0.61.0/resume_other_cwd",
        "recordings/gemini/0.61.0/resume_same_session_id_again",
        "recordings/gemini/0.61.0/acp_load_unknown",
      ],
    },
  },
  {
    id: "gemini-quota",
    clis,
    seen: '"exhausted your daily quota", "exhausted your capacity", `QUOTA_EXHAUSTED`, `INSUFFICIENT_G1_CREDITS_BALANCE`',
    traces: {
      wording:
        /exhausted your (?:daily quota|capacity)|QUOTA_EXHAUSTED|INSUFFICIENT_G1_CREDITS_BALANCE|limit: 0\b/,
    },
    code: "rate_limited",
    sentence: "The quota of the account or key that Gemini CLI uses is used up.",
    advice:
      "Wait until it is renewed (daily ones at midnight Pacific time), choose another model, or raise the quota.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/error_429_quota"] },
  },
  {
    id: "gemini-rate-limit",
    clis,
    seen: 'status 429, "Suggested retry after 1s"; ten tries of up to 35 s each, told on stderr only',
    traces: {
      wording: /RESOURCE_EXHAUSTED|Suggested retry after|Please retry in \d/,
      statuses: [429],
      exitCodes: [173],
    },
    code: "rate_limited",
    sentence: "Google limits the rate of requests.",
    advice: "Wait until the limit is over, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/error_429"] },
  },
  {
    id: "gemini-failing",
    clis,
    seen: 'exit codes 244, 246, 247 and 248 (500, 502, 503 and 504 modulo 256), "Service unavailable"',
    traces: {
      wording:
        /Service unavailable|service is currently unavailable|model is overloaded|experiencing high demand/i,
      exitCodes: [244, 246, 247, 248],
    },
    code: "overloaded",
    sentence: "Google's model service is overloaded or failing.",
    advice: "Wait a few minutes, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/error_503"] },
  },
  {
    id: "gemini-turn-limit",
    clis,
    seen: '"Reached max session turns", exit code 53',
    traces: { wording: /max session turns|Maximum session turns exceeded/i, exitCodes: [53] },
    code: "cli_error",
    sentence: "Gemini CLI came to the end of the steps that its settings allow.",
    advice: "Begin a new conversation, or raise `model.maxSessionTurns` in Gemini CLI's settings.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["failures/gemini/0.61.0/turn_limit"] },
  },
  {
    id: "gemini-settings",
    clis,
    seen: "exit codes 44 (its sandbox) and 52 (its settings)",
    traces: { exitCodes: [44, 52] },
    code: "cli_error",
    sentence: "Gemini CLI can't work with its settings.",
    advice: "Start `gemini` in a terminal as the user that runs Headway: it says what is wrong.",
    countsAgainstService: false,
    retry: false,
    evidence: {
      recordings: ["recordings/gemini/0.61.0/bad_settings", "failures/gemini/0.61.0/sandbox_missing"],
    },
  },
  {
    id: "gemini-blocked",
    clis,
    seen: '"The model response was blocked due to safety settings"',
    traces: { wording: /model response was blocked due to/i },
    code: "cli_error",
    sentence: "Google blocked the model's answer.",
    advice: "Say it differently, or begin a new conversation.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["failures/gemini/0.61.0/safety_blocked"] },
  },
  {
    id: "gemini-empty-answer",
    clis,
    seen: '"The model returned an empty response", at exit code 0',
    traces: { wording: /model returned an empty response|Invalid stream/i },
    code: "cli_error",
    sentence: "The model answered nothing.",
    advice: "Send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/empty_answer"] },
  },
];
