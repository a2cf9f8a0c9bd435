import type { FailureRow } from "./failure-row.ts";

const clis = ["droid"] as const;
const signIn =
  "Start `droid` in a terminal as the user that runs Headway and sign in, or start Headway with FACTORY_API_KEY (the key of a custom model stands in ~/.factory/settings.json); then send it again.";
const itsSource = "Words of the program, version 0.225.2; it takes an account of Factory's to see them.";
const itsWords =
  "Words of the program, version 0.225.2; no answer of a model's API was found that brings them out.";

/**
 * How Droid fails in words of its own: in an `error` line, a JSON-RPC error, or at the end of stderr. Its exit
 * code is 1 for all of it.
 */
export const droidFailures: readonly FailureRow[] = [
  {
    id: "droid-key-unverified",
    clis,
    seen: '"FACTORY_API_KEY could not be validated because the Factory API is not accessible"',
    traces: { wording: /FACTORY_API_KEY (?:could not be validated|validation failed)/i },
    code: "cli_error",
    sentence: "Droid could not reach Factory to check its key.",
    advice: "Check the network and the proxy, then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { source: itsSource },
  },
  {
    id: "droid-sign-in-ended",
    clis,
    seen: '"Your login session may have expired"',
    traces: { wording: /login session may have expired/i },
    code: "auth_required",
    sentence: "Droid's sign-in has ended.",
    advice: signIn,
    countsAgainstService: true,
    retry: false,
    evidence: { source: itsSource },
  },
  {
    id: "droid-not-signed-in",
    clis,
    seen: '"Authentication failed", "Not authenticated. Please log in using /login", "no usable credentials", status 401',
    traces: {
      wording:
        /Authentication failed|Not authenticated|FACTORY_API_KEY is set but|no usable credentials|No access token available|authentication_error/i,
      statuses: [401],
    },
    code: "auth_required",
    sentence: "Droid is not signed in, or the key of its model was refused.",
    advice: signIn,
    countsAgainstService: true,
    retry: false,
    evidence: {
      recordings: [
        "recordings/droid/0.225.2/no-sign-in",
        "recordings/droid/0.225.2/error-401",
        "recordings/droid/0.225.2/warm-no-sign-in",
        "failures/droid/0.225.2/error_401_openai",
      ],
    },
  },
  {
    id: "droid-session-unknown",
    clis,
    seen: '"Session not found", JSON-RPC error -32004; one process per turn ends without a word',
    traces: { wording: /Session (?:\S+ )?(?:not found|does not exist)|Failed to load session/i },
    code: "session_lost",
    sentence: "Droid has not got the session of this conversation.",
    advice: "Send it again: a fresh session is told the conversation so far.",
    countsAgainstService: false,
    retry: true,
    evidence: { recordings: ["recordings/droid/0.225.2/warm-lost"] },
  },
  {
    id: "droid-usage-limit",
    clis,
    seen: '"Usage limit reached", "usage quota is exhausted. Limits reset at …"',
    traces: {
      wording: /usage limit reached|usage quota is exhausted|Usage is exhausted|limits are reached/i,
    },
    code: "rate_limited",
    sentence: "The usage limit of the account or key that Droid uses is reached.",
    advice: "Wait until the time that it names, top up, or choose another model; then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { source: itsSource },
  },
  {
    id: "droid-permission",
    clis,
    seen: '"Exec ended early: insufficient permission to proceed"',
    traces: { wording: /insufficient permission to proceed/i },
    code: "cli_error",
    sentence: "Droid ended the turn because it may not do what the model wanted to.",
    advice: "Give the agent a wider permission mode in its settings, or ask for less.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["recordings/droid/0.225.2/one-turn-denied"] },
  },
  {
    id: "droid-repetition",
    clis,
    seen: '"LLM output entered an exact repetition cycle"',
    traces: { wording: /exact repetition cycle|repeatedly generated the same output/i },
    code: "cli_error",
    sentence: "The model repeated itself without end, and Droid stopped it.",
    advice: "Send it again, say it differently, or choose another model.",
    countsAgainstService: false,
    retry: true,
    evidence: { recordings: ["recordings/droid/0.225.2/repetition"] },
  },
  {
    id: "droid-overloaded",
    clis,
    seen: '"This LLM provider is currently overloaded", "experiencing high demand", "failed with an internal error"',
    traces: {
      wording:
        /provider is currently overloaded|experiencing high demand|Model provider failed with an internal error/i,
    },
    code: "overloaded",
    sentence: "The model's provider is overloaded or failing.",
    advice: "Wait a few minutes, or choose another model; then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { source: itsWords },
  },
  {
    id: "droid-timed-out",
    clis,
    seen: '"Request timed out." after 26 s, with no network to Factory',
    traces: { wording: /^Request timed out\.?$|request timed out while/im },
    code: "overloaded",
    sentence: "The model's provider, or Factory on the way to it, did not answer.",
    advice: "Check the network and the proxy; then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { recordings: ["failures/droid/0.225.2/factory_unreachable"] },
  },
  {
    id: "droid-network",
    clis,
    seen: '"Your request to the LLM failed due to network issues", "Unable to reach …"',
    traces: { wording: /failed due to network issues|Unable to reach |internet connection may be offline/i },
    code: "cli_error",
    sentence: "Droid could not reach the model's provider.",
    advice: "Check the network and the proxy; then send it again.",
    countsAgainstService: true,
    retry: true,
    evidence: { source: itsWords },
  },
  {
    id: "droid-model-unknown",
    clis,
    seen: '"Requested model was not found on the API provider"; on stderr "Invalid model" and a list of those there are',
    traces: { wording: /Requested model was not found|Invalid model/i },
    code: "cli_error",
    sentence: "Droid does not know the agent's model.",
    advice: "Give the agent another model in its settings; Droid's own message lists them.",
    countsAgainstService: false,
    retry: false,
    evidence: { recordings: ["recordings/droid/0.225.2/bad-model"] },
  },
];
