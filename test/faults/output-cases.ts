import { type FaultCase, faultCase, inFile } from "./fault-case.ts";

const here = inFile("faults/output.test.ts");
const outputFaults = inFile("e2e/output-faults.test.ts");
const lines = inFile("runner/process/lines.test.ts");
const odd = (row: string) =>
  outputFaults("every fault has its outcome, leaves no process, and the agent's next turn succeeds", row);
const floods = outputFaults(
  "Q5, Q7, Q17: floods are bounded in the log, in the events and in the server's memory",
);

/** What a CLI can print. */
export const outputCases: readonly FaultCase[] = [
  faultCase(
    "Q1",
    "Half a JSON line at the end, exit 0",
    "`failed` as `no_result`, the text so far is kept; anomaly `parse_error`",
    odd("Q1 half a line at its end"),
    here("Q1: half a line at the end is counted, and is no result"),
  ),
  faultCase("Q2", "No newline after the result", "`succeeded`", odd("Q2 no newline at its end")),
  faultCase(
    "Q3",
    "Bytes that aren't UTF-8",
    "`succeeded` with U+FFFD in their place; anomaly `invalid_utf8`",
    odd("Q3 bytes that aren't UTF-8"),
  ),
  faultCase(
    "Q4",
    "Characters that are split over chunks",
    "The exact text",
    odd("Q4 long words of four bytes a letter"),
    lines("characters that are split over chunks arrive whole"),
  ),
  faultCase(
    "Q5",
    "A line of 50 MB, then a result",
    "`succeeded`; anomaly `line_too_long`; the server's memory doesn't hold it",
    floods,
  ),
  faultCase(
    "Q6",
    "NULs, C1 controls, terminal sequences",
    "`succeeded`; left out of text",
    here("Q6: NULs, C1 controls and colours are left out of the answer, and the raw log keeps the line"),
    odd("Q6 control characters"),
    lines("NUL characters are left out"),
  ),
  faultCase("Q7", "A flood of stderr", "`succeeded`; the log ends with how much was dropped", floods),
  faultCase(
    "Q8",
    "1,000 events of unknown types",
    "`succeeded`; all are counted as `unknown_event`, each type is told once, a metric tells of them",
    here("Q8: of a thousand unknown events the log keeps one notice for each type, and the count is whole"),
    odd("Q8 events that nobody knows"),
  ),
  faultCase(
    "Q9",
    "Two results",
    "`succeeded` by the first, with one answer; anomaly `duplicate_result`",
    here("Q9, Q10: what comes after the first result is counted and changes nothing"),
    odd("Q9 two results"),
    outputFaults("a second result between turns is no turn's, and the agent's next turn is its own"),
  ),
  faultCase(
    "Q10",
    "Text after the result",
    "`succeeded` without it; anomaly `output_after_result`",
    here("Q9, Q10: what comes after the first result is counted and changes nothing"),
    odd("Q10 text after the result"),
  ),
  faultCase(
    "Q11",
    "Exit 0 without a result",
    "`failed` as `no_result`; what is no protocol is never an answer",
    here("Q11: output that isn't the protocol's is never an answer"),
    odd("Q11 no result, exit 0"),
  ),
  faultCase(
    "Q12",
    "A result and then exit 1",
    "A one-turn process has `failed` as `exit_nonzero_after_result`, with its text kept as not final; a warm one's turn was over",
    outputFaults("Q12: an exit other than 0 right after the result spoils a one-turn process's answer only"),
  ),
  faultCase(
    "Q13",
    "A result that is an error, exit 0",
    "`failed` as `cli_error`, or as what the failure is known for",
    odd("Q13 a result that is an error"),
  ),
  faultCase(
    "Q14",
    "A banner and other lines that aren't JSON",
    "`succeeded`; anomaly `parse_error`",
    odd("Q14 a banner"),
  ),
  faultCase(
    "Q15",
    "CRLF, a byte order mark, blank lines",
    "`succeeded`, no anomaly",
    here("Q15: CRLF, a byte order mark and blank lines change nothing"),
  ),
  faultCase(
    "Q16",
    "`__proto__`, doubled keys, 1e400, integers beyond 2^53",
    "No crash, nothing polluted, and the turn has its outcome",
    here("Q16: prototype keys, doubled keys and numbers beyond all bounds are read or passed over"),
  ),
  faultCase(
    "Q17",
    "Events without end",
    "`succeeded` with the whole answer; beyond the limit only text and the end are kept",
    outputFaults("Q17: beyond the limit of events only text and the end are kept, and the answer is whole"),
    floods,
    inFile("runner/transports/event-limit.test.ts")(
      "a run with too many events keeps its text and its end, says so once, and loses no text",
    ),
  ),
  faultCase(
    "Q18",
    "Another session's id",
    "Anomaly `session_mismatch`; a session that another conversation holds is not adopted",
    here("Q18: a session of another conversation isn't adopted from what a CLI says of itself"),
    odd("Q18 another session's id"),
    inFile("store/sessions.test.ts")("is not adopted: all else is noted, and the caller is told"),
  ),
  faultCase(
    "Q19",
    "An empty result",
    "`succeeded` with an answer of no words",
    here("Q19: an empty result is an answer of no words"),
    odd("Q19 an empty answer"),
  ),
  faultCase(
    "Q20",
    "Output byte by byte",
    "The same as at once",
    here("Q20: output that comes byte by byte is the same as at once"),
    lines("whatever the bytes and wherever the chunks are cut, the lines are the same"),
  ),
  faultCase(
    "Q21",
    "stdout is closed and the process lives on",
    "Its exit is waited for and counts; one that never ends is `timed_out` as `deadline`",
    here("Q21: a CLI that closes its output and lives on is waited for, and its exit counts"),
    here("Q21: one that closes its output and never ends is ended by the time limit"),
  ),
];
