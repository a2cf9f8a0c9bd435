import type { PermissionMode } from "../../src/domain/agent.ts";

/** One thing that is done with a CLI; the turn is waited for in any case. */
export interface Step {
  say: string;
  /** What is done after the first of these, instead of letting the turn go on. */
  stop?: { after: "text" | "tool.started"; by: "interrupt" | "SIGINT" };
}

/** A situation to be recorded, the same for every CLI. The prompts' words are the fake model's. */
export interface Scenario {
  name: string;
  form: "warm" | "oneTurn";
  permissionMode?: PermissionMode;
  /** Whether the CLI gets a session that an earlier process has left, or one that nobody knows. */
  resumes?: "an earlier one" | "an unknown one";
  steps: readonly Step[];
  /** Among those by which a new version is checked quickly. */
  quick?: true;
}

const slowly = "delay=100 one two three four five six seven eight nine ten eleven twelve";
const useTool = "use tool `echo done`";
const touchTool = "use tool `touch made.txt`";
const holdTool = "use tool `tail -f /dev/null`";

export const scenarios: readonly Scenario[] = [
  { name: "one-turn", form: "oneTurn", steps: [{ say: "hello there" }], quick: true },
  { name: "one-turn-think", form: "oneTurn", steps: [{ say: "think hello" }] },
  { name: "one-turn-tool", form: "oneTurn", permissionMode: "full", steps: [{ say: useTool }], quick: true },
  { name: "one-turn-tool-refused", form: "oneTurn", permissionMode: "read", steps: [{ say: touchTool }] },
  { name: "one-turn-error", form: "oneTurn", steps: [{ say: "error 400" }] },
  { name: "one-turn-resume", form: "oneTurn", resumes: "an earlier one", steps: [{ say: "recall" }] },
  { name: "one-turn-lost", form: "oneTurn", resumes: "an unknown one", steps: [{ say: "recall" }] },
  {
    name: "one-turn-sigint",
    form: "oneTurn",
    steps: [{ say: slowly, stop: { after: "text", by: "SIGINT" } }],
  },
  {
    name: "warm-turns",
    form: "warm",
    steps: [{ say: "hello there" }, { say: "recall" }, { say: "think again" }],
    quick: true,
  },
  {
    name: "warm-tools",
    form: "warm",
    permissionMode: "full",
    steps: [{ say: useTool }, { say: "use tool `false`" }],
  },
  { name: "warm-tool-asked", form: "warm", permissionMode: "edit", steps: [{ say: touchTool }] },
  { name: "warm-tool-refused", form: "warm", permissionMode: "read", steps: [{ say: touchTool }] },
  { name: "warm-error", form: "warm", steps: [{ say: "error 400" }, { say: "and then?" }], quick: true },
  {
    name: "warm-interrupt",
    form: "warm",
    permissionMode: "full",
    steps: [
      { say: slowly, stop: { after: "text", by: "interrupt" } },
      { say: holdTool, stop: { after: "tool.started", by: "interrupt" } },
      { say: "still there?" },
    ],
  },
  { name: "warm-resume", form: "warm", resumes: "an earlier one", steps: [{ say: "recall" }] },
  { name: "warm-lost", form: "warm", resumes: "an unknown one", steps: [{ say: "recall" }] },
];
