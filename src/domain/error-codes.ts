/**
 * Why a run ended otherwise than well. Closed: `docs/errors.md` is generated from this table and the
 * API sends nothing else. `retry` tells whether sending the same prompt again may help.
 */
export const runErrors = {
  cli_not_found: { message: "The CLI's executable was not found.", retry: false },
  cli_too_old: {
    message: "The installed CLI is older than the oldest version that Headway supports.",
    retry: false,
  },
  cwd_missing: { message: "The agent's folder no longer exists.", retry: false },
  spawn_error: { message: "The CLI could not be started.", retry: true },
  exit_before_output: { message: "The CLI ended before it printed anything.", retry: true },
  exit_nonzero: { message: "The CLI ended with an error and no result.", retry: true },
  exit_nonzero_after_result: { message: "The CLI gave a result and then ended with an error.", retry: true },
  signal: { message: "The CLI was ended by a signal.", retry: true },
  no_result: { message: "The CLI ended without giving a result.", retry: true },
  cli_error: { message: "The CLI reported an error.", retry: true },
  auth_required: { message: "The CLI is not signed in, or its key was refused.", retry: false },
  rate_limited: { message: "The model's provider limits the rate of requests.", retry: true },
  overloaded: { message: "The model's provider is overloaded or failing.", retry: true },
  session_lost: { message: "The CLI has lost the session of this conversation.", retry: true },
  stalled: { message: "The CLI showed no sign of life for too long.", retry: true },
  deadline: { message: "The run reached its time limit.", retry: true },
  memory_limit: { message: "The run used more memory than it may.", retry: false },
  process_limit: { message: "The run had more processes than it may.", retry: false },
  output_limit: { message: "The run printed more than it may.", retry: false },
  store_error: { message: "The run's events could not be stored.", retry: true },
  server_restart: { message: "The server stopped while the run was in progress.", retry: true },
  shutdown: { message: "The server was shut down while the run was in progress.", retry: true },
  tmux_gone: { message: "The tmux server went away.", retry: true },
  pane_dead: { message: "The tmux pane died.", retry: true },
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
