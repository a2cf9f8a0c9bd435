import { type FaultCase, faultCase, inFile } from "./fault-case.ts";

const here = inFile("faults/process.test.ts");
const processFaults = inFile("e2e/process-faults.test.ts");
const overshoot = inFile("runner/process/overshoot.test.ts");
const breaker = inFile("e2e/breaker.test.ts");
const supervised = (row: string) =>
  processFaults("every fault has its outcome, leaves no process, and the agent's next turn succeeds", row);

/** What a CLI's process can do. */
export const processCases: readonly FaultCase[] = [
  faultCase(
    "P1",
    "The CLI's file, or the agent's folder, isn't there",
    "`failed` as `cli_not_found` or `cwd_missing`: the two are told apart, though the system says the same of both",
    processFaults("P1, P2: an executable or a folder that isn't there, or can't be run, is told apart"),
  ),
  faultCase(
    "P2",
    "The CLI's file can't be executed",
    "`failed`: as `cli_not_found`, with its path, when it may not be executed; as `spawn_error` when the system refuses to",
    here("P2: a CLI's file that may not be executed is none, and the run says which file that is"),
    processFaults("P1, P2: an executable or a folder that isn't there, or can't be run, is told apart"),
  ),
  faultCase(
    "P3",
    "The CLI exits with 1 at once",
    "`failed` as `exit_nonzero`; the end of its stderr is the error's message; counts for the breaker",
    supervised("P3 exits 1 at once"),
    here("P3: what a CLI said on stderr before it failed is the run's error, and not more than its end"),
    breaker("opens with the fifth failure in a row, refuses, says why and when, and is reset"),
  ),
  faultCase(
    "P4",
    "The CLI is ended by SIGSEGV",
    "`failed` as `signal`; the run names the signal and keeps its text so far",
    supervised("P4 dies of a signal"),
    here("P4: the signal that ended a CLI is told"),
  ),
  faultCase(
    "P5",
    "The CLI hangs without a word",
    "`timed_out` as `deadline`, or sooner as `stalled`; its tree is dead",
    supervised("P5 prints nothing until the deadline"),
    supervised("P5 begins and then says nothing"),
  ),
  faultCase(
    "P6",
    "It ignores every polite signal, and so do its children, in sessions of their own and with an empty environment",
    "A cancel makes it `cancelled`, with 0 survivors",
    here(
      "P6: a deaf CLI and its deaf children, without a trace of ours in their environment, die with a cancel",
    ),
    supervised("P6 ignores everything polite until the deadline"),
  ),
  faultCase(
    "P7",
    "It gives its result while a child of another session holds its stdout for minutes",
    "`succeeded` without waiting for the child, which is killed",
    supervised("P7 leaves processes that hold its output"),
  ),
  faultCase(
    "P8",
    "It gives its result and never exits",
    "`succeeded`; a one-turn process that lingers is ended, a warm one is meant to stay",
    supervised("P8 never exits after its result"),
  ),
  faultCase(
    "P9",
    "It starts processes without end",
    "`failed` as `process_limit`; nothing of the tree is left",
    supervised("P9 starts too many processes"),
    inFile("e2e/limits.test.ts")(
      "P9: the server answers while a fork bomb goes off, which is ended for its processes",
    ),
    overshoot("P9: a fork bomb is ended for its processes, and nothing of it is left"),
  ),
  faultCase(
    "P10",
    "Its tree takes too much memory",
    "`failed` as `memory_limit`, before it has taken much more",
    supervised("P10 takes too much memory"),
    overshoot(
      "P10: a tree that takes 500 MB a second is ended within 15 % of its limit, several hogs together",
    ),
  ),
  faultCase(
    "P11",
    "It spins",
    "`timed_out` as `deadline`; until then it yields to the server",
    supervised("P11 spins"),
    here("P11: a CLI yields to the server and to people"),
  ),
  faultCase(
    "P12",
    "It ends between its start and its first word",
    "`failed` as `exit_before_output`; a warm process is replaced once, with the notice `cold_start`",
    here("P12: a CLI that ends well without having said a word has failed"),
    processFaults("P12: a process that dies before its turn's first output is replaced once if it was warm"),
  ),
  faultCase(
    "P13",
    "It is stopped (SIGSTOP)",
    "`timed_out` as `stalled`; the stopped tree is killed",
    supervised("P13 is stopped"),
  ),
  faultCase(
    "P14",
    "Its pid belongs to another process by the time that an earlier server's processes are reaped",
    "That process is not killed: pid, start, boot and marker must all be right",
    inFile("runner/process/tree-kill.test.ts")(
      "reaping kills nothing when pid, start, boot or marker is another's",
    ),
    inFile("runner/process/tree.test.ts")("a pid that was given to another process isn't the process it was"),
  ),
  faultCase(
    "P15",
    "It fails five times in a row",
    "503 `breaker_open` with Retry-After; then one run tries; a cancel is no failure",
    breaker("opens with the fifth failure in a row, refuses, says why and when, and is reset"),
    breaker("doesn't count a cancel, and a success begins the count anew"),
    breaker("lets exactly one new run try, and stays shut longer when that one fails"),
  ),
  faultCase(
    "P16",
    "It closes its stdin without having read the prompt",
    "Its answer, or its exit code, counts; no bug of ours",
    here("P16: a prompt that the CLI doesn't read is no bug: its answer and its exit count"),
    supervised("P16 closes its input early"),
  ),
];
