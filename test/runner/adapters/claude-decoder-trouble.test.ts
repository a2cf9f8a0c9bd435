import { expect, test } from "bun:test";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import { anomalyCodes, eventsOf, verdicts } from "../../contract/decoded.ts";
import { assistant, decodeTurn, init, newDecoder, result, text } from "./claude-lines.ts";

test("an unknown type is counted every time and told the first time", () => {
  const decoded = decodeTurn([
    init,
    { type: "news" },
    { type: "news" },
    { type: "system", subtype: "news" },
    result(),
  ]);

  expect(anomalyCodes(decoded)).toEqual(["unknown_event", "unknown_event", "unknown_event"]);
  expect(eventsOf(decoded, "notice").map(({ message }) => message.split(": ")[1])).toEqual([
    "news",
    "system/news",
  ]);
});

test("a known type with a body that isn't its own is an unknown event, never an error", () => {
  const decoded = decodeTurn([
    init,
    { type: "stream_event", event: "x" },
    { type: "assistant" },
    { type: "system" },
  ]);

  expect(anomalyCodes(decoded)).toEqual(["unknown_event", "unknown_event", "unknown_event"]);
});

test("a result ends the turn however odd its other fields are", () => {
  const odd = { usage: "many", errors: 7, num_turns: "1", permission_denials: {}, total_cost_usd: null };

  expect(verdicts(decodeTurn([init, result({ ...odd, result: "ok" })]))).toMatchObject([
    { kind: "succeeded" },
  ]);
});

test("lines that aren't JSON are parse errors within a turn and stray output after it", () => {
  const decoder = newDecoder();
  decoder.beginTurn();

  const banner = ["Welcome!", "42", "[1]", '{"torn":'].flatMap((line) => decoder.decode(line));
  decoder.decode(JSON.stringify(result()));
  const late = decoder.decode("Goodbye!");

  expect(anomalyCodes(banner)).toEqual(["parse_error", "parse_error", "parse_error", "parse_error"]);
  expect(late).toEqual([{ kind: "anomaly", code: "output_after_result", detail: "Goodbye!" }]);
});

test("a turn that the CLI begins by itself retires the process, and its text is nobody's", () => {
  const decoder = newDecoder();
  decodeTurn([init, result()], decoder);

  const own = [init, assistant("m1", text("A task has ended.")), result()];
  const late = own.flatMap((line) => decoder.decode(JSON.stringify(line)));

  expect(late.map(({ kind }) => kind)).toEqual(["retire", "anomaly", "anomaly", "retire"]);
});

test("MCP servers that the CLI keeps are told of, ones that failed aren't", () => {
  const kinds = (mcp_servers: { name: string; status: string }[]) =>
    newDecoder()
      .decode(JSON.stringify({ ...init, mcp_servers }))
      .map(({ kind }) => kind);

  const connected = kinds([{ name: "files", status: "connected" }]);
  const failed = kinds([{ name: "files", status: "failed" }]);

  expect(connected).toContain("helpers.kept");
  expect(failed).not.toContain("helpers.kept");
});

test("after the result a notice has no turn to belong to, and a question is still answered", () => {
  const decoder = newDecoder();
  decodeTurn([init, result()], decoder);
  const late = [
    { type: "system", subtype: "api_retry", attempt: 1 },
    { type: "control_request", request_id: "r1", request: { subtype: "can_use_tool", tool_name: "Bash" } },
  ];

  const decoded = late.flatMap((line) => decoder.decode(JSON.stringify(line)));

  expect(decoded.map(({ kind }) => kind)).toEqual(["write"]);
});

test("a limit of the subscription is a notice only when it limits", () => {
  const info = (status: string) => ({
    type: "rate_limit_event",
    rate_limit_info: { status, rateLimitType: "five_hour", resetsAt: 1_800_000_000 },
  });

  const notices = eventsOf(decodeTurn([init, info("allowed"), info("rejected"), result()]), "notice");

  expect(notices).toEqual([
    {
      type: "notice",
      code: "rate_limit",
      message:
        "The provider limits the rate of requests (five_hour): rejected, until 2027-01-15T08:00:00.000Z.",
    },
  ]);
});

test("a turn that was refused for a limit says when that is over, but no turn that failed otherwise", () => {
  const rejected = (resetsAt: number) => ({
    type: "rate_limit_event",
    rate_limit_info: { status: "rejected", resetsAt },
  });
  const failed = (status: number) => result({ is_error: true, api_error_status: status, result: "No." });

  const limited = decodeTurn([init, rejected(1_800_000_000.5), failed(429)]);
  const down = decodeTurn([init, rejected(1_800_000_000), failed(500)]);

  expect(verdicts(limited)).toMatchObject([{ code: "rate_limited", limitEndsAtMs: 1_800_000_000_500 }]);
  expect(verdicts(down)).toEqual([{ kind: "failed", code: "overloaded", message: "No." }]);
});

test("a conversation that the CLI made shorter is told", () => {
  const notices = eventsOf(
    decodeTurn([init, { type: "system", subtype: "compact_boundary" }, result()]),
    "notice",
  );

  expect(notices.map(({ code }) => code)).toEqual(["compacted"]);
});

const usd = (total: number) => result({ total_cost_usd: total, usage: {} });
const costs = (decoded: Decoded[]) => decoded.flatMap((one) => (one.kind === "usage" ? [one.costUsd] : []));

test("without a cost per turn the difference of the totals serves, and nothing where there is none", () => {
  const decoder = newDecoder();

  expect(costs(decodeTurn([init, usd(0.5)], decoder))).toEqual([null]);
  expect(costs(decodeTurn([init, usd(0.75)], decoder))).toEqual([0.25]);
  expect(costs(decodeTurn([init, usd(0.1)], decoder))).toEqual([null]);
});

test.each([
  [{ api_error_status: 401, result: "no" }, "auth_required"],
  [{ result: "Not logged in · Please run /login" }, "auth_required"],
  [{ api_error_status: 429, result: "no" }, "rate_limited"],
  [{ api_error_status: 503, result: "no" }, "overloaded"],
  [{ api_error_status: 400, result: "no" }, "cli_error"],
  [{ subtype: "error_max_turns", is_error: undefined }, "cli_error"],
])("the error %j is %s", (error, code) => {
  const [verdict] = verdicts(decodeTurn([init, result({ is_error: true, ...error })]));

  expect(verdict).toMatchObject({ kind: "failed", code });
});

test("where there is no status, the message before the result tells what kind of error it is", () => {
  const said = {
    ...assistant("m1", text("No.")),
    error: "authentication_failed",
    is_api_error_message: true,
  };

  const [verdict] = verdicts(decodeTurn([init, said, result({ is_error: true, result: "No." })]));

  expect(verdict).toEqual({ kind: "failed", code: "auth_required", message: "No." });
});

test("an error's text is the CLI's own, at most 2,000 characters of it", () => {
  const [verdict] = verdicts(decodeTurn([init, result({ is_error: true, result: "x".repeat(3000) })]));

  expect(verdict).toEqual({ kind: "failed", code: "cli_error", message: "x".repeat(2000) });
});
