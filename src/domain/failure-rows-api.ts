import type { FailureRow } from "./failure-row.ts";

const otherErrors = [400, 405, 406, 409, 410, 415, 422] as const;
const failing = [408, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530] as const;

/** What the APIs of models answer, and what a network does, whichever CLI meets it. */
export const apiFailures: readonly FailureRow[] = [
  {
    id: "api-context-full",
    clis: "all",
    seen: '"Prompt is too long", "Context limit exceeded", status 413',
    traces: {
      wording:
        /prompt is too long|message is too long to send|context (?:limit|length|window)[\w ]* (?:exceeded|reached|limit)|context_length_exceeded|exceeds? (?:the |its )?(?:maximum|model's) (?:number of tokens|context)|exceeds the maximum number of tokens|maximum context length|reached its context window limit|Context limit exceeded/i,
      statuses: [413],
    },
    code: "cli_error",
    sentence: "The conversation has grown longer than the model can take in.",
    advice: "Begin a new conversation, or send a shorter message.",
    countsAgainstService: false,
    retry: false,
    evidence: {
      recordings: [
        "failures/claude/2.1.330/context_full",
        "failures/claude/2.1.330/request_too_large",
        "failures/gemini/0.61.0/context_full",
        "failures/droid/0.225.2/context_full",
      ],
    },
  },
  {
    id: "api-content-refused",
    clis: "all",
    seen: '"content moderation policy", "Output blocked by content filtering policy"',
    traces: { wording: /content (?:moderation|filtering) policy|content_filter|content management policy/i },
    code: "cli_error",
    sentence: "The model's provider refused this message or the answer to it.",
    advice: "Say it differently, or begin a new conversation.",
    countsAgainstService: false,
    retry: false,
    evidence: {
      recordings: ["failures/claude/2.1.330/content_filtered", "failures/droid/0.225.2/content_filtered"],
    },
  },
  {
    id: "api-credit-used-up",
    clis: "all",
    seen: 'status 402, `insufficient_quota`, "You exceeded your current quota"',
    traces: {
      wording: /insufficient_quota|credit balance is too low|exceeded your current quota/i,
      statuses: [402],
    },
    code: "rate_limited",
    sentence: "The account that the CLI uses has no credit left, or has used up its quota.",
    advice:
      "Add credit to the account, wait until its quota is renewed, or sign in to the CLI with another; then send it again.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["failures/droid/0.225.2/credit_used_up", "failures/droid/0.225.2/quota"] },
  },
  {
    id: "api-unauthorized",
    clis: "all",
    seen: "status 401, `authentication_error`",
    traces: { wording: /authentication_error|invalid_api_key/, statuses: [401] },
    code: "auth_required",
    sentence: "The model's provider refused the CLI's key or sign-in.",
    advice: "Sign in to the CLI in a terminal, as the user that runs Headway, then send it again.",
    countsAgainstService: true,
    retry: false,
    evidence: { source: "Each CLI that was recorded has a row of its own for it." },
  },
  {
    id: "api-forbidden",
    clis: "all",
    seen: "status 403, `permission_error`",
    traces: { wording: /permission_error|PERMISSION_DENIED/, statuses: [403] },
    code: "auth_required",
    sentence: "The model's provider does not let this account or key do that.",
    advice: "Sign in to the CLI with an account that may use this model, or give the agent another model.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["recordings/gemini/0.61.0/error_403", "failures/droid/0.225.2/error_403"] },
  },
  {
    id: "api-rate-limit",
    clis: "all",
    seen: "status 429, `rate_limit_error`",
    traces: { wording: /rate_limit_error|rate_limit_exceeded/, statuses: [429] },
    code: "rate_limited",
    sentence: "The model's provider limits the rate of requests.",
    advice: "Wait until the limit is over, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/claude/2.1.330/error_429"] },
  },
  {
    id: "api-failing",
    clis: "all",
    seen: "status 408, 500 and above, 529, `overloaded_error`",
    traces: { wording: /overloaded_error/, statuses: failing },
    code: "overloaded",
    sentence: "The model's provider is overloaded or failing.",
    advice: "Wait a few minutes, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: {
      recordings: [
        "recordings/claude/2.1.330/error_500",
        "recordings/claude/2.1.330/error_529",
        "recordings/gemini/0.61.0/error_500",
        "recordings/droid/0.225.2/warm-error-529",
      ],
    },
  },
  {
    id: "api-model-unknown",
    clis: "all",
    seen: 'status 404, "It may not exist or you may not have access to it", `model_not_found`',
    traces: {
      wording: /model_not_found|model not found|Requested entity was not found|models\/\S+ is not found/i,
      statuses: [404],
    },
    code: "cli_error",
    sentence: "The model's provider does not know the agent's model, or does not let this account use it.",
    advice: "Give the agent another model in its settings, or none, so that the CLI chooses.",
    countsAgainstService: false,
    retry: false,
    evidence: {
      recordings: [
        "recordings/claude/2.1.330/error_404",
        "recordings/gemini/0.61.0/error_404",
        "failures/gemini/0.61.0/model_unknown",
      ],
    },
  },
  {
    id: "api-bad-request",
    clis: "all",
    seen: "status 400 and other errors of the request, `invalid_request_error`",
    traces: { wording: /invalid_request_error|INVALID_ARGUMENT/, statuses: otherErrors },
    code: "cli_error",
    sentence: "The model's provider refused the request.",
    advice: "Read what it said; begin a new conversation if it is about earlier messages.",
    countsAgainstService: false,
    retry: false,
    evidence: {
      recordings: ["recordings/claude/2.1.330/error_400", "recordings/droid/0.225.2/one-turn-error"],
    },
  },
  {
    id: "network-certificate",
    clis: "all",
    seen: '"self-signed certificate", `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, `CERT_HAS_EXPIRED`',
    traces: {
      wording:
        /self.signed certificate|SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_HAS_EXPIRED|unable to (?:verify|get (?:local )?issuer)|secure connection to/i,
    },
    code: "cli_error",
    sentence: "The CLI does not trust the certificate that it was shown on the way to the model's provider.",
    advice:
      "Give it the certificate of your network's proxy: start Headway with NODE_EXTRA_CA_CERTS set to its file.",
    countsAgainstService: true,
    retry: false,
    evidence: { recordings: ["failures/claude/2.1.330/certificate"] },
  },
  {
    id: "network-broken-off",
    clis: "all",
    seen: '"terminated", "socket hang up", `ECONNRESET`, "The response stopped arriving"',
    traces: {
      wording:
        /^(?:\[API Error: )?terminated\b|socket hang up|\bE(?:CONNRESET|CONNABORTED|PIPE)\b|response stopped arriving|mid-response|other side closed/i,
    },
    code: "cli_error",
    sentence: "The connection to the model's provider broke off in mid-answer.",
    advice: "Send it again; what it had written is kept.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/midstream_error"] },
  },
  {
    id: "network-unreachable",
    clis: "all",
    seen: '`ECONNREFUSED`, `ENOTFOUND`, `ETIMEDOUT`, "fetch failed"',
    traces: {
      wording:
        /\bE(?:CONNREFUSED|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH)\b|fetch failed|getaddrinfo|Connection (?:refused|error)|ConnectionRefused|Unable to connect/i,
    },
    code: "cli_error",
    sentence: "The CLI could not reach the model's provider.",
    advice: "Check the network, the proxy and the address that the CLI was given; then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: {
      recordings: [
        "recordings/claude/2.1.330/connrefused",
        "failures/claude/2.1.330/host_unknown",
        "failures/droid/0.225.2/connrefused",
        "failures/droid/0.225.2/certificate",
        "failures/gemini/0.61.0/connrefused",
      ],
    },
  },
  {
    id: "loop-stopped",
    clis: "all",
    seen: '"Loop detected, stopping execution"; Gemini CLI calls that a success, with an answer or without',
    traces: { wording: /Loop detected/i },
    code: "cli_error",
    sentence: "The model went round in circles, and the CLI stopped it.",
    advice: "Say it differently, or begin a new conversation.",
    countsAgainstService: false,
    retry: true,
    evidence: { recordings: ["recordings/gemini/0.61.0/loop_unanswered"] },
  },
];
