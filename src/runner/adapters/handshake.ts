import type { Failure, Verdict } from "./adapter.ts";

/** The end of a turn whose prompt was never sent: where another form would do no better it is final. */
export function refusedHandshake({ code, message }: Failure): Verdict {
  const isFinal = code === "session_lost" || code === "auth_required";
  return { kind: isFinal ? "failed" : "unready", code, message };
}

/** Whatever but a missing sign-in keeps a session from being loaded, to us it is lost. */
export function asLostSession(failure: Failure): Failure {
  return failure.code === "auth_required" ? failure : { ...failure, code: "session_lost" };
}
