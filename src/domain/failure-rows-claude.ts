import type { FailureRow } from "./failure-row.ts";

const clis = ["claude"] as const;
const signIn = "Run `claude auth login` as the user that runs Headway, then send it again.";
const itsSource = "Words of the program, version 2.1.330; it takes an account of Anthropic's to see them.";

/**
 * How Claude Code fails in words of its own. They are looked for in its result, together with the `error` of
 * its last assistant event, and at the end of its stderr.
 */
export const claudeFailures: readonly FailureRow[] = [
  {
    id: "claude-sign-in-busy",
    clis,
    seen: '"another Claude Code process is refreshing"',
    traces: { wording: /another Claude Code process is refreshing/i },
    code: "cli_error",
    sentence: "Another Claude Code process is renewing the sign-in.",
    advice: "Send it again in a moment.",
    countsAgainstService: false,
    retry: true,
    evidence: { source: itsSource },
  },
  {
    id: "claude-sign-in-ended",
    clis,
    seen: '"Login expired", "OAuth token revoked", "this login reached its time limit"',
    traces: {
      wording:
        /OAuth (?:session|(?:access )?token)(?: has)?(?: been)? (?:expired|revoked)|Login (?:expired|reached its time limit)|this login reached its time limit/i,
    },
    code: "auth_required",
    sentence: "Claude Code's sign-in has ended.",
    advice: `${signIn} For work without anybody there, \`claude setup-token\` makes a token for CLAUDE_CODE_OAUTH_TOKEN.`,
    countsAgainstService: true,
    retry: false,
    evidence: {
      recordings: ["failures/claude/2.1.330/token_revoked", "failures/claude/2.1.330/token_expired"],
    },
  },
  {
    id: "claude-keychain",
    clis,
    seen: '"Failed to refresh OAuth token: can\'t save to the Keychain"',
    traces: { wording: /Failed to refresh OAuth token|security unlock-keychain/i },
    code: "auth_required",
    sentence: "Claude Code could not renew its sign-in where it keeps it.",
    advice:
      "Unlock the keychain (`security unlock-keychain`) or make room on the disk that holds ~/.claude, as the user that runs Headway; then send it again.",
    countsAgainstService: true,
    retry: false,
    evidence: { source: itsSource },
  },
  {
    id: "claude-account-barred",
    clis,
    seen: '"organization has been disabled", "account is on hold", "disabled API key authentication"',
    traces: {
      wording:
        /organization has been disabled|belongs to a disabled organization|account is on hold|disabled API key authentication|oauth_org_not_allowed|account_on_hold|verification_required/i,
    },
    code: "auth_required",
    sentence: "Anthropic does not let this account or this key work with Claude Code.",
    advice: "Sign in with another account or key, or ask the organisation's administrator.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["failures/claude/2.1.330/organization_disabled"] },
  },
  {
    id: "claude-not-signed-in",
    clis,
    seen: '"Not logged in · Please run /login", error `authentication_failed`, also at status 403',
    traces: { wording: /authentication_failed|Invalid API key|Not logged in|Please run \/login/i },
    code: "auth_required",
    sentence: "Claude Code is not signed in, or its key was refused.",
    advice: signIn,
    countsAgainstService: true,
    retry: false,
    evidence: {
      recordings: [
        "recordings/claude/2.1.330/no_key",
        "recordings/claude/2.1.330/error_401_retries0",
        "failures/claude/2.1.330/error_403",
      ],
    },
  },
  {
    id: "claude-session-unknown",
    clis,
    seen: '"No conversation found with session ID", "Session ID … is already in use"',
    // Also a session id that it has already, though we think it new: both ask for a fresh session.
    traces: { wording: /No conversation found with session ID|Session ID \S+ is already in use/ },
    code: "session_lost",
    sentence: "Claude Code has not got the session of this conversation.",
    advice: "Send it again: a fresh session is told the conversation so far.",
    countsAgainstService: false,
    retry: true,
    evidence: {
      recordings: [
        "recordings/claude/2.1.330/resume_unknown",
        "recordings/claude/2.1.330/resume_same_session_id_again",
      ],
    },
  },
  {
    id: "claude-credit-used-up",
    clis,
    seen: '"Credit balance is too low", "out of usage credits", error `billing_error`',
    traces: {
      wording: /Credit balance (?:is )?too low|out of usage credits|usage credits required|billing_error/i,
    },
    code: "rate_limited",
    sentence: "The account that Claude Code uses has no credit left.",
    advice: "Add credit to the account, or sign in with another; then send it again.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["failures/claude/2.1.330/credit_used_up"] },
  },
  {
    id: "claude-usage-limit",
    clis,
    seen: '"You\'ve hit your session limit · resets 3pm (America/Bogota)"',
    traces: {
      wording: /usage limit reached|spend limit reached|You've hit your .{0,40}limit|requires usage credits/i,
    },
    code: "rate_limited",
    sentence: "The usage limit of the account that Claude Code uses is reached.",
    advice: "Wait until the time that it names, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["failures/claude/2.1.330/usage_limit"] },
  },
  {
    id: "claude-root",
    clis,
    seen: '"cannot be used with root/sudo privileges"',
    traces: { wording: /cannot be used with root\/sudo privileges/ },
    code: "exit_nonzero",
    sentence: "Claude Code refuses to do everything without asking as root.",
    advice: "Run Headway as an ordinary user, or give the agent the permission mode edit.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["recordings/claude/2.1.330/tool_use_skip_perm_root"] },
  },
  {
    id: "claude-budget",
    clis,
    seen: '"Reached maximum budget ($0.0001)", "Reached maximum number of turns"; the exit code is 1 although there is an answer',
    traces: { wording: /Reached maximum (?:budget|number of turns)/ },
    code: "cli_error",
    sentence: "Claude Code came to the end of the budget or of the steps that its settings allow.",
    advice: "Ask for less at once, or raise the limit in Claude Code's settings.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["recordings/claude/2.1.330/max_budget"] },
  },
  {
    id: "claude-refused",
    clis,
    seen: '"…\'s safeguards flagged this message", stop reason `refusal`',
    traces: { wording: /safeguards flagged this message|anthropic\.com\/legal\/aup/i },
    code: "cli_error",
    sentence: "The model refused this message.",
    advice: "Say it differently, or begin a new conversation.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["failures/claude/2.1.330/refused"] },
  },
];
