/** The ids of all elements that htmx, links or labels point at. Run and turn ids are safe in CSS as they are. */
export const elementIds = {
  main: "main",
  agents: "agents",
  folders: "folders",
  agentStatus: "agent-status",
  conversation: "conversation",
  turns: "turns",
  waiting: "waiting",
  composer: "composer",
  composerText: "composer-text",
  problem: "problem",
  empty: "empty",
  newest: "newest",
  runFacts: "run-facts",
  turn: (turnId: string) => turnId,
  run: (runId: string) => runId,
  parts: (runId: string) => `${runId}-parts`,
  part: (runId: string, part: number) => `${runId}-part-${part}`,
  frozen: (runId: string, part: number) => `${runId}-part-${part}-frozen`,
  open: (runId: string, part: number) => `${runId}-part-${part}-open`,
  activity: (runId: string) => `${runId}-activity`,
  field: (name: string) => `field-${name}`,
  hint: (name: string) => `field-${name}-hint`,
  fieldProblem: (name: string) => `field-${name}-problem`,
} as const;

/** A CSS selector for an id. */
export function byId(id: string): string {
  return `#${id}`;
}
