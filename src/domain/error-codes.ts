/**
 * Why a run ended otherwise than well. Closed: `docs/errors.md` is generated from this table and the
 * API sends nothing else. `message` says what happened, `advice` what a person can do; `retry` whether sending
 * the same prompt again may help. `countsAgainstService` is true where it speaks against the CLI or its
 * provider: not what this prompt, this agent's settings or we ourselves brought about, and not what is known
 * before anything starts. What CLIs do is told apart more finely in failure-taxonomy.ts.
 */
export const runErrors = {
  cli_not_found: {
    message: "The CLI was not found on this machine.",
    retry: false,
    countsAgainstService: false,
    advice: "Install it, or set the path to it in Headway's configuration, and start Headway again.",
  },
  cli_too_old: {
    message: "The installed CLI is older than the oldest version that Headway starts.",
    retry: false,
    countsAgainstService: false,
    advice: "Update the CLI, then send it again.",
  },
  cwd_missing: {
    message: "The agent's folder no longer exists.",
    retry: false,
    countsAgainstService: false,
    advice: "Make the folder again, or give the agent another one in its settings.",
  },
  spawn_error: {
    message: "The CLI could not be started.",
    retry: true,
    countsAgainstService: true,
    advice: "Send it again; if it happens again, look at the run's log.",
  },
  exit_before_output: {
    message: "The CLI ended before it printed anything.",
    retry: true,
    countsAgainstService: true,
    advice: "Look at the run's log for what it said on its way out.",
  },
  exit_nonzero: {
    message: "The CLI ended with an error and no result.",
    retry: true,
    countsAgainstService: true,
    advice: "Look at the run's log, then send it again.",
  },
  exit_nonzero_after_result: {
    message: "The CLI gave a result and then ended with an error.",
    retry: true,
    countsAgainstService: true,
    advice: "The answer is whole; look at the run's log for what went wrong after it.",
  },
  signal: {
    message: "The CLI was ended by a signal.",
    retry: true,
    countsAgainstService: true,
    advice: "Something ended it from outside: look at the machine's memory, then send it again.",
  },
  no_result: {
    message: "The CLI ended without giving a result.",
    retry: true,
    countsAgainstService: true,
    advice: "Send it again; what it had written is kept.",
  },
  cli_error: {
    message: "The CLI reported an error.",
    retry: true,
    countsAgainstService: true,
    advice: "Read what it said; send it again if that may help.",
  },
  auth_required: {
    message: "The CLI is not signed in, or its key was refused.",
    retry: false,
    countsAgainstService: true,
    advice: "Sign in to the CLI in a terminal, as the user that runs Headway, then send it again.",
  },
  rate_limited: {
    message: "A limit of the model's provider is reached.",
    retry: true,
    countsAgainstService: true,
    advice: "Wait until the time that it names, or a few minutes; then send it again.",
  },
  overloaded: {
    message: "The model's provider is overloaded or failing.",
    retry: true,
    countsAgainstService: true,
    advice: "Wait a few minutes, then send it again.",
  },
  session_lost: {
    message: "The CLI has lost the session of this conversation.",
    retry: true,
    countsAgainstService: false,
    advice: "Send it again: a fresh session is told the conversation so far.",
  },
  stalled: {
    message: "The CLI showed no sign of life for too long.",
    retry: true,
    countsAgainstService: true,
    advice:
      "Look at the run's log: it may have asked a failing provider again and again. Then send it again, or raise HEADWAY_STALL_TIMEOUT_MS if its work is quiet for long.",
  },
  deadline: {
    message: "The run reached its time limit.",
    retry: true,
    countsAgainstService: false,
    advice: "Ask for less at once, or give the agent a longer time limit in its settings.",
  },
  memory_limit: {
    message: "The run used more memory than it may.",
    retry: false,
    countsAgainstService: false,
    advice: "Ask for less at once, or give the agent more memory in its settings.",
  },
  process_limit: {
    message: "The run had more processes than it may.",
    retry: false,
    countsAgainstService: false,
    advice: "Ask for fewer things at once, or raise HEADWAY_PROCESS_LIMIT.",
  },
  output_limit: {
    message: "The run printed more than it may.",
    retry: false,
    countsAgainstService: false,
    advice: "Ask for less output, or raise HEADWAY_OUTPUT_LIMIT_MB.",
  },
  store_error: {
    message: "The run's events could not be stored.",
    retry: true,
    countsAgainstService: false,
    advice: "Look at the disk that holds Headway's data, then send it again.",
  },
  server_restart: {
    message: "The server stopped while the run was in progress.",
    retry: true,
    countsAgainstService: false,
    advice: "Send it again; what it had written is kept.",
  },
  shutdown: {
    message: "The server was shut down while the run was in progress.",
    retry: true,
    countsAgainstService: false,
    advice: "Send it again; what it had written is kept.",
  },
  tmux_gone: {
    message: "The tmux server went away.",
    retry: true,
    countsAgainstService: true,
    advice: "Start tmux again, then send it again.",
  },
  pane_dead: {
    message: "The tmux pane died.",
    retry: true,
    countsAgainstService: true,
    advice: "Send it again: it gets a new pane.",
  },
} as const;

export type RunErrorCode = keyof typeof runErrors;
export const runErrorCodes = Object.keys(runErrors) as RunErrorCode[];

/** Where the runbook of a code is found, in the docs that every server serves. */
export function runbookOf(code: RunErrorCode): string {
  return `/api/docs#error-${code}`;
}

/**
 * Why a request was refused: code → HTTP status and title. Closed, like the table above; together they
 * are the one place that maps codes to statuses.
 */
export const problems = {
  malformed: { status: 400, title: "The request could not be read" },
  unauthorized: { status: 401, title: "A token or a login is needed" },
  forbidden_host: { status: 403, title: "This host name is not served" },
  forbidden_origin: { status: 403, title: "Requests from other sites are refused" },
  not_found: { status: 404, title: "There is nothing here" },
  agent_not_found: { status: 404, title: "No agent has this name" },
  conversation_not_found: { status: 404, title: "No such conversation" },
  no_conversation: { status: 404, title: "The agent has no active conversation" },
  run_not_found: { status: 404, title: "No such run" },
  method_not_allowed: { status: 405, title: "This method is not allowed here" },
  agent_exists: { status: 409, title: "An agent of this name exists" },
  run_active: { status: 409, title: "A run is queued or in progress" },
  payload_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "Send the body as application/json" },
  invalid: { status: 422, title: "Some values are not allowed" },
  permission_unavailable: { status: 422, title: "This permission mode is not available here" },
  mode_unavailable: { status: 422, title: "This mode is not available here" },
  prompt_too_long: { status: 422, title: "The prompt is too long" },
  idempotency_mismatch: { status: 422, title: "This key was used with another body" },
  queue_full: { status: 429, title: "The agent's queue is full" },
  too_many_attempts: { status: 429, title: "Too many wrong tries" },
  too_many_streams: { status: 429, title: "Too many event streams are open" },
  internal: { status: 500, title: "Something went wrong on our side" },
  breaker_open: { status: 503, title: "The agent's circuit breaker is open" },
  draining: { status: 503, title: "The server is shutting down" },
  agent_quarantined: { status: 503, title: "The agent's old processes could not be ended" },
  store_unavailable: { status: 503, title: "The store does not accept writes" },
} as const;

export type ProblemCode = keyof typeof problems;
