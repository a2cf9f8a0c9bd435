import { z } from "zod";

/** One setting: its variable, how it is read, and what a person is told about it. */
interface Setting {
  variable: string;
  /** What stands in the documentation when there is no fixed default. */
  defaultText?: string;
  meaning: string;
  /** What is allowed, in words, for the error and the documentation. */
  allowed: string;
  schema: z.ZodType;
}

function integer(min: number, max: number, fallback: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(fallback);
}

function number(variable: string, meaning: string, fallback: number, min: number, max: number) {
  return {
    variable,
    meaning,
    allowed: `a whole number from ${min} to ${max}`,
    schema: integer(min, max, fallback),
  };
}

function text(variable: string, meaning: string, allowed: string, pattern: RegExp, defaultText = "–") {
  return { variable, meaning, allowed, defaultText, schema: z.string().regex(pattern).optional() };
}

const dayMs = 86_400_000;
const path = /^\/[^\0]*$/;

/** Every setting there is. `docs/configuration.md` and `.env.example` are generated from this table. */
export const settings = {
  host: {
    variable: "HEADWAY_HOST",
    meaning: "Address to bind.",
    allowed: "an IP address or host name",
    schema: z
      .string()
      .regex(/^[A-Za-z0-9.:_-]{1,253}$/)
      .refine(isHost)
      .default("127.0.0.1"),
  },
  port: number("HEADWAY_PORT", "Port to bind; 0 picks a free one.", 4270, 0, 65_535),
  publicUrls: {
    variable: "HEADWAY_PUBLIC_URL",
    meaning:
      "URLs under which a proxy serves Headway, separated by commas; their hosts join the Host allow-list.",
    allowed: "http or https URLs without a path, separated by commas",
    defaultText: "–",
    schema: z
      .string()
      .default("")
      .transform(splitList(","))
      .pipe(z.array(z.string().refine(isOrigin).transform(originOf))),
  },
  dataDir: text(
    "HEADWAY_DATA_DIR",
    "Folder for the database, the token, logs and backups; made with mode 0700.",
    "an absolute path",
    path,
    "`data` in the installation",
  ),
  token: text(
    "HEADWAY_TOKEN",
    "Bearer token for scripts and the login page.",
    "1 to 512 visible ASCII characters without spaces; fewer than 16 are warned about",
    /^[!-~]{1,512}$/,
    "generated into `DATA_DIR/token`",
  ),
  workspaces: {
    variable: "HEADWAY_WORKSPACES",
    meaning: "Folders below which agents may work, separated by colons.",
    allowed: "absolute paths, separated by colons",
    defaultText: "`$HOME`",
    schema: z
      .string()
      .default("")
      .transform(splitList(":"))
      .pipe(z.array(z.string().regex(path))),
  },
  claudePath: text(
    "HEADWAY_CLAUDE_PATH",
    "Claude Code's executable.",
    "an absolute path",
    path,
    "looked up on `PATH`",
  ),
  droidPath: text(
    "HEADWAY_DROID_PATH",
    "Factory Droid's executable.",
    "an absolute path",
    path,
    "looked up on `PATH`",
  ),
  geminiPath: text(
    "HEADWAY_GEMINI_PATH",
    "Gemini CLI's executable.",
    "an absolute path",
    path,
    "looked up on `PATH`",
  ),
  passEnv: {
    variable: "HEADWAY_PASS_ENV",
    meaning: "Names of further variables handed to the CLIs, separated by commas.",
    allowed: "names of variables, separated by commas, none beginning with HEADWAY_",
    defaultText: "–",
    schema: z
      .string()
      .default("")
      .transform(splitList(","))
      .pipe(z.array(z.string().regex(/^(?!HEADWAY_)[A-Za-z_][A-Za-z0-9_]*$/))),
  },
  maxRuns: number("HEADWAY_MAX_RUNS", "Runs in progress at once, over all agents.", 10, 1, 1_000),
  queueLimit: number("HEADWAY_QUEUE_LIMIT", "Queued runs per agent.", 200, 0, 100_000),
  runTimeoutMs: number(
    "HEADWAY_RUN_TIMEOUT_MS",
    "Wall limit of a run, from its start (`deadline`).",
    1_800_000,
    100,
    dayMs,
  ),
  stallTimeoutMs: number(
    "HEADWAY_STALL_TIMEOUT_MS",
    "A run without any output for this long ends as `stalled`; the clock stands still while a tool is open.",
    300_000,
    100,
    dayMs,
  ),
  firstOutputMs: number(
    "HEADWAY_FIRST_OUTPUT_MS",
    "A process that prints nothing at all for this long after its turn was sent ends as `stalled`.",
    60_000,
    100,
    dayMs,
  ),
  killGraceMs: number(
    "HEADWAY_KILL_GRACE_MS",
    "Time between a polite signal and the kill.",
    2_000,
    0,
    600_000,
  ),
  lingerMs: number(
    "HEADWAY_LINGER_MS",
    "How long a one-turn process may live after its result; its agent's next run waits for that.",
    2_000,
    0,
    600_000,
  ),
  drainMs: number("HEADWAY_DRAIN_MS", "SIGTERM: how long running turns may finish.", 10_000, 0, 3_600_000),
  warmProcesses: number(
    "HEADWAY_WARM_PROCESSES",
    "Idle CLI processes kept warm between turns, over all agents; 0 means one process per turn.",
    4,
    0,
    1_000,
  ),
  warmIdleMs: number(
    "HEADWAY_WARM_IDLE_MS",
    "Idle time after which a warm process is ended.",
    600_000,
    10,
    dayMs,
  ),
  memoryLimitMb: number("HEADWAY_MEMORY_LIMIT_MB", "Memory of a run, whole tree.", 2_048, 16, 1_048_576),
  processLimit: number("HEADWAY_PROCESS_LIMIT", "Processes of a run, whole tree.", 512, 2, 100_000),
  outputLimitMb: number("HEADWAY_OUTPUT_LIMIT_MB", "Standard output of a run.", 256, 1, 65_536),
  lineLimitMb: number(
    "HEADWAY_LINE_LIMIT_MB",
    "Longest line kept; a longer one is dropped with a notice.",
    8,
    1,
    256,
  ),
  eventLimit: number(
    "HEADWAY_EVENT_LIMIT",
    "Events kept per run; then only text and the end.",
    100_000,
    10,
    10_000_000,
  ),
  logLimitMb: number(
    "HEADWAY_LOG_LIMIT_MB",
    "Raw log per run: of a longer one the beginning and the end, with “… N bytes dropped” between them.",
    16,
    1,
    4_096,
  ),
  logsTotalMb: number(
    "HEADWAY_LOGS_TOTAL_MB",
    "Raw logs of all runs together; the oldest go first.",
    2_048,
    16,
    1_048_576,
  ),
  logKeepDays: number(
    "HEADWAY_LOG_KEEP_DAYS",
    "How long a raw log is kept after its run has ended.",
    30,
    1,
    36_500,
  ),
  eventKeepDays: number(
    "HEADWAY_EVENT_KEEP_DAYS",
    "How long a run's events are kept after its end; 0 keeps them for ever. The conversation's turns stay in any case.",
    0,
    0,
    36_500,
  ),
  maxStarts: number(
    "HEADWAY_MAX_STARTS",
    "CLI processes that may be coming up at the same time, over all agents.",
    4,
    1,
    1_000,
  ),
  freeMemoryMb: number(
    "HEADWAY_FREE_MEMORY_MB",
    "No CLI process is started while the machine has less memory free than this; 0 starts it in any case.",
    512,
    0,
    1_048_576,
  ),
  breakerFailures: number(
    "HEADWAY_BREAKER_FAILURES",
    "Failures of the service in a row after which an agent's circuit breaker opens; 0 never opens one.",
    5,
    0,
    1_000,
  ),
  breakerPauseMs: number(
    "HEADWAY_BREAKER_PAUSE_MS",
    "How long an agent's circuit breaker stays open the first time; each time in a row twice as long.",
    30_000,
    100,
    dayMs,
  ),
  breakerPauseMaxMs: number(
    "HEADWAY_BREAKER_PAUSE_MAX_MS",
    "The longest that it stays open, unless the CLI itself names a later time.",
    900_000,
    100,
    dayMs,
  ),
  sandbox: {
    variable: "HEADWAY_SANDBOX",
    meaning: "`auto` takes the best containment available; `off` is shown as a banner.",
    allowed: "auto or off",
    schema: z.enum(["auto", "off"]).default("auto"),
  },
  cgroup: {
    variable: "HEADWAY_CGROUP",
    meaning:
      "Where the kernel is to limit runs, by control groups: `auto` in Headway's own if that is delegated to it, `off` nowhere, or in a folder of `/sys/fs/cgroup` that is Headway's alone.",
    allowed: "auto, off or an absolute path",
    schema: z
      .string()
      .regex(/^(auto|off|\/[^\0]*)$/)
      .default("auto"),
  },
  selfTest: {
    variable: "HEADWAY_SELF_TEST",
    meaning:
      "`auto` tries after the start whether hostile processes can outlive a run or the server; `off` leaves that unknown.",
    allowed: "auto or off",
    schema: z.enum(["auto", "off"]).default("auto"),
  },
  logLevel: {
    variable: "HEADWAY_LOG_LEVEL",
    meaning: "Least level of the JSON lines on standard output.",
    allowed: "debug, info, warn or error",
    schema: z.enum(["debug", "info", "warn", "error"]).default("info"),
  },
} as const satisfies Record<string, Setting>;

export type Config = { [K in keyof typeof settings]: z.infer<(typeof settings)[K]["schema"]> };

export type ConfigOutcome = { kind: "ok"; config: Config } | { kind: "bad"; message: string };

/** Reads the environment once. The first bad value is the outcome, as one line for a person. */
export function parseConfig(environment: Record<string, string | undefined>): ConfigOutcome {
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting>(settings)) {
    const value = environment[setting.variable] || undefined;
    const parsed = setting.schema.safeParse(value);
    if (!parsed.success) return { kind: "bad", message: badValue(setting, value) };
    config[key] = parsed.data;
  }
  return { kind: "ok", config: config as Config };
}

function badValue(setting: Setting, value: string | undefined): string {
  const shown = setting.variable === "HEADWAY_TOKEN" ? "(hidden)" : JSON.stringify(value);
  return `${setting.variable} is ${shown}; allowed is ${setting.allowed}.`;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

/** A scheme, a host and perhaps a port: nothing that would have to be cut off. */
function isOrigin(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, href } = new URL(url);
  return /^https?:$/.test(protocol) && !hostname.includes("*") && href === `${originOf(url)}/`;
}

/** Only an IPv6 address has a colon. */
function isHost(host: string): boolean {
  return URL.canParse(`http://${host.includes(":") ? `[${host}]` : host}`);
}

function splitList(separator: string) {
  return (value: string) =>
    value
      .split(separator)
      .map((part) => part.trim())
      .filter((part) => part !== "");
}
