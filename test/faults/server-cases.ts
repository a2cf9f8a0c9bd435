import { type FaultCase, faultCase, inFile } from "./fault-case.ts";

const here = inFile("faults/server.test.ts");
const shutdown = inFile("e2e/shutdown.test.ts");
const crash = inFile("e2e/crash.test.ts");
const paused = inFile("e2e/paused-server.test.ts")(
  "V7, V8: a server that stood still blames no run for it (%s)",
);

/** What can happen to the server itself. */
export const serverCases: readonly FaultCase[] = [
  faultCase(
    "V1",
    "kill -9 with 5 runs in progress and 10 waiting",
    "The five become `interrupted` with their text so far, the ten run after the restart, nothing is lost, doubled or left alive",
    crash("3 × kill -9 with 5 runs in progress and 10 waiting: the same holds"),
    crash("8 × kill -9 amid the work: nothing acknowledged is lost, doubled or run again"),
    inFile("e2e/containment.test.ts")("nothing of it lives on when the server is killed, or told to stop"),
  ),
  faultCase(
    "V2",
    "SIGTERM",
    "503 `draining`; running turns may finish, the rest is `interrupted` as `shutdown`, what waits stays queued; exit 0",
    shutdown("SIGTERM lets a running turn finish, refuses what is new, and leaves what waits in the queue"),
    shutdown("a turn that takes longer than the drain time is interrupted, and its client is told so"),
    inFile("store/open.test.ts")("each start is a new epoch, and a clean stop is noted"),
  ),
  faultCase(
    "V3",
    "A second signal",
    "Every tree is dead at once",
    shutdown("a second signal ends everything at once"),
    here("V3: a signal that comes when everything has ended already does no harm"),
  ),
  faultCase(
    "V4",
    "Two servers on one data directory",
    "The second one exits with 75",
    shutdown("a second server on the same data directory is exit 75, and the first goes on"),
    inFile("store/open.test.ts")(
      "a second server is refused while the first is stopped, and let in when the first was killed",
    ),
  ),
  faultCase(
    "V5",
    "The port is in use",
    "Exit 74 and a message; the database isn't touched",
    shutdown("a port in use is exit 74, and the database stays as it was"),
  ),
  faultCase(
    "V6",
    "A bug that nobody catches",
    "Logged and said on stderr; what runs is `interrupted`, every tree dead, exit 70; also at a start, when it comes again and again, and when nobody reads the log",
    here(
      "V6: a bug that nobody catches ends what runs as interrupted, and the server with 70, also amid a stop",
    ),
    here("V6: a bug ends a server %s with 70, and says so without a secret"),
    here("V6: a bug that comes again and again doesn't keep the server from ending"),
    here("V6: %s ends a server whose log nobody reads any more"),
  ),
  faultCase(
    "V7",
    "The event loop stands still for seconds",
    "No run ends of it; the metric `headway_nodejs_eventloop_lag_max_seconds` tells of it",
    here("V7: a loop that stood still blames no run for it, and a metric tells of it (%s)"),
    paused,
  ),
  faultCase("V8", "SIGSTOP, and SIGCONT later", "No run ends of it", paused),
  faultCase(
    "V9",
    "No file descriptor is left",
    "Executes fail and say so; the server lives on and recovers",
    inFile("e2e/descriptors.test.ts")(
      "V9: a server with %i descriptors left answers with codes of the contract, and recovers",
    ),
  ),
  faultCase(
    "V10",
    "HOME is missing or can't be written",
    "`failed` as `spawn_error`, with what is wrong with HOME; the start logs it, too",
    here("V10: without a home folder no CLI is started, and log and run say why"),
    here("V10: a home folder is none that isn't set, isn't there, or is a file"),
  ),
];
