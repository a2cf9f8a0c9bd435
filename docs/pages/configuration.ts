import { settings } from "../../src/config.ts";
import { acpAgentsFile } from "../../src/domain/acp-agent.ts";
import {
  idempotencyKeptMs,
  processesKeptMs,
  sessionsKeptMs,
  sweepEveryMs,
} from "../../src/domain/retention.ts";
import { code, page, table } from "./markdown.ts";

type Setting = (typeof settings)[keyof typeof settings];

const introduction = `Headway is configured by environment variables, read once at the start. A value that isn't allowed ends
the start with exit code 64 and one line that names the variable, the value and what is allowed. An
empty variable counts as unset. \`bun\` also reads a file \`.env\` in the folder in which it is started;
[\`.env.example\`](../.env.example) lists every variable with its default.`;

const acpAgents = `Agents of the CLI \`acp\` are carried by a program that speaks the [Agent Client Protocol](https://agentclientprotocol.com).
Which programs these are says the file \`${acpAgentsFile}\` in the data directory, and nothing else: it is read once
at the start and never written, so that no request can name a program. A file that isn't allowed ends the start
with exit code 64 and one line that names the file, the place and what is allowed.`;

const acpExample = `\`\`\`json
{
  "opencode": {
    "title": "OpenCode",
    "command": "opencode",
    "args": ["acp"],
    "env": { "OPENCODE_DISABLE_AUTOUPDATE": "true" },
    "passEnv": ["OPENAI_API_KEY"]
  }
}
\`\`\``;

const acpRows = [
  ["`command`", "the name of a program on `PATH`, or an absolute path", "What is started, without a shell."],
  ["`args`", "at most 64 texts", "Its arguments, as they are."],
  [
    "`env`",
    "at most 64 names and values",
    "Variables that it is given. Values of secret ones are masked wherever they turn up.",
  ],
  [
    "`passEnv`",
    "at most 64 names",
    "Variables of Headway's own environment that are handed on to it, beside what every CLI gets.",
  ],
  [
    "`writableFolders`",
    "at most 64 absolute paths",
    "Folders of its own in which it may write under the file policy `workspace`, beside those of its name in `~/.config`, `~/.local/share`, `~/.local/state` and `~/.cache`.",
  ],
  ["`title`", "1 to 63 characters", "What people call it; its name without it."],
];

const acpAfter = `The name is what \`POST /api/agents\` takes as \`acpAgent\`: lower-case letters, digits, \`_\` and \`-\`, at most 63. No
variable whose name begins with \`HEADWAY_\` can be set or handed on. An agent whose ACP agent was taken out of the file
stays readable; its runs fail with \`cli_not_found\`.`;

const exactLimits = `Headway looks at every run's memory many times a second. Where it may make control groups, the kernel limits it as
well, and exactly; \`GET /api/containment\` and the page Health say which holds, and why. A systemd service with a user
of its own takes two lines for it (cgroup v2):`;

const unitExample = `\`\`\`ini
[Service]
User=headway
Delegate=memory pids
\`\`\``;

const exactLimitsAfter = `As root in a container nothing is to be set where \`/sys/fs/cgroup\` can be written and the container has a group
namespace of its own. A service that runs as root names its delegated group itself, as the settings' table has it:
\`HEADWAY_CGROUP=/sys/fs/cgroup/system.slice/headway.service\`. All processes in a group that is named must be
Headway's: on v2 they are moved to a child of it, \`headway-server\`. On cgroup v1 root may make groups, and memory
alone is limited by them. Files in memory (\`/dev/shm\`, and the \`/tmp\` of the file policy \`workspace\`) count as the
run's memory there.`;

/** What the jobs of `src/jobs` remove by themselves. */
const keptRows = [
  ["idempotency keys", `${spanOf(idempotencyKeptMs)} after the end of their run`],
  ["logins", "until they were idle for 12 hours, or the token changes"],
  ["the record of a CLI process (ids, times, how it ended)", `${spanOf(processesKeptMs)} after its end`],
  [
    "the CLI session of a conversation that has ended",
    `${spanOf(sessionsKeptMs)} after the conversation's last change, or until its agent is deleted; taken up again later, the conversation goes on in a fresh session that is told what was said`,
  ],
  ["rendered HTML of answers", "until another version of Headway renders them"],
  [
    "raw logs of runs",
    `${inDefault("logKeepDays")} days after the end of their run, and the newest ${inDefault("logsTotalMb")} MiB in all (${code(settings.logKeepDays.variable)}, ${code(settings.logsTotalMb.variable)}); those of runs in progress stay in any case`,
  ],
  [
    "events of runs, with their tool calls and thoughts",
    `until their conversation is deleted; ${code(settings.eventKeepDays.variable)} days after the end of their run, when that isn't 0`,
  ],
  ["conversations with their turns and runs", "until somebody deletes them"],
  ["backups that were made before a migration", "until somebody deletes them"],
];

function inDefault(name: "logKeepDays" | "logsTotalMb"): string {
  return String(settings[name].schema.parse(undefined));
}

const kept = `Looked for every ${sweepEveryMs / 60_000} minutes, in small pieces.`;

const deletion = `A deleted conversation leaves nothing in the data directory but the backups that were made before: its rows are
overwritten in the database, its words leave the search index, its raw logs are removed. What the CLI itself keeps of a
session (a transcript below the home folder of the user that runs Headway) belongs to that user and stays; so do
the CLI's own rules for how long.`;

/** "30 days", "1 hour": the whole units that make up the time. */
function spanOf(spanMs: number): string {
  const hours = spanMs / 3_600_000;
  const [count, unit] = hours % 24 === 0 ? [hours / 24, "day"] : [hours, "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

export function configurationPage(): string {
  const rows = Object.values(settings).map((setting) => [
    code(setting.variable),
    shownDefault(setting),
    setting.allowed,
    setting.meaning,
  ]);
  const heads = ["variable", "default", "allowed", "meaning"];
  return page("Configuration", "src/config.ts", [
    introduction,
    table(heads, rows),
    "## ACP agents",
    acpAgents,
    acpExample,
    table(["key", "allowed", "meaning"], acpRows),
    acpAfter,
    "## Exact memory limits",
    exactLimits,
    unitExample,
    exactLimitsAfter,
    "## What is kept, and for how long",
    kept,
    table(["what", "kept"], keptRows),
    deletion,
  ]);
}

/** Every variable commented out, so that a copy of the file changes nothing until somebody edits it. */
export function environmentExample(): string {
  const entries = Object.values(settings).map((setting) =>
    [
      `# ${setting.meaning.replaceAll("`", "")}`,
      `# Allowed: ${setting.allowed}.${defaultNote(setting)}`,
      `# ${setting.variable}=${fixedDefault(setting) ?? ""}`,
    ].join("\n"),
  );
  const head =
    "# Generated from src/config.ts by `npm run docs`. Copy it to .env and take away the # where you want.";
  return `${[head, ...entries].join("\n\n")}\n`;
}

function shownDefault(setting: Setting): string {
  return "defaultText" in setting ? setting.defaultText : code(fixedDefault(setting) ?? "");
}

function defaultNote(setting: Setting): string {
  const isFixed = !("defaultText" in setting) || setting.defaultText === "–";
  return isFixed ? "" : ` Without it: ${setting.defaultText.replaceAll("`", "")}.`;
}

/** Null where the default isn't a value that could be written down. */
function fixedDefault(setting: Setting): string | null {
  return "defaultText" in setting ? null : String(setting.schema.parse(undefined));
}
