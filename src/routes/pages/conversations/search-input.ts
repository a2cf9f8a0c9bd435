import { cliSchema } from "../../../domain/agent.ts";
import { conversationStates } from "../../../domain/conversation.ts";
import { agentIdPattern } from "../../../domain/ids.ts";
import type { ConversationFilter } from "../../../domain/ports.ts";
import { searchFields, type SearchValues } from "../../../views/conversations/conversation-search.ts";
import type { FieldProblems } from "../../../views/forms.tsx";
import { searchCharsMax } from "../../../views/conversations/search-form.tsx";
import type { FormOutcome } from "../agents/agent-form-input.ts";

const dayMs = 86_400_000;

/** What the address asks for; a parameter that isn't there is "". */
export function searchValuesOf(queryOf: (field: string) => string | undefined): SearchValues {
  const fields = searchFields.map((field) => [field, queryOf(field) ?? ""]);
  const values = Object.fromEntries(fields) as Record<keyof SearchValues, string>;
  return { ...values, agent: values.agent.trim(), from: values.from.trim(), to: values.to.trim() };
}

/** The filter that these values mean, or what is wrong with them, by field. */
export function filterOf(values: SearchValues): FormOutcome<ConversationFilter> {
  const problems = problemsOf(values);
  if (Object.keys(problems).length > 0) return { kind: "problems", problems };
  const fromMs = startOfDay(values.from);
  const lastDayMs = startOfDay(values.to);
  const filter: ConversationFilter = {
    agentId: values.agent || null,
    words: values.q.trim() || null,
    cli: cliSchema.safeParse(values.cli).data ?? null,
    state: conversationStates.find((state) => state === values.state) ?? null,
    fromMs,
    toMs: lastDayMs === null ? null : lastDayMs + dayMs,
  };
  return { kind: "ok", value: filter };
}

function problemsOf({ q, agent, cli, state, from, to }: SearchValues): FieldProblems {
  const fromMs = startOfDay(from);
  const toMs = startOfDay(to);
  const isBackwards = fromMs !== null && toMs !== null && toMs < fromMs;
  const isState = conversationStates.some((candidate) => candidate === state);
  const found: [string, string | false][] = [
    ["q", q.length > searchCharsMax && `At most ${searchCharsMax} characters are looked for.`],
    ["agent", agent !== "" && !agentIdPattern.test(agent) && "No agent can have this name."],
    ["cli", cli !== "" && !cliSchema.safeParse(cli).success && "Choose one of these CLIs."],
    ["state", state !== "" && !isState && "Choose one of these states."],
    ["from", from !== "" && fromMs === null && "Write the day as YYYY-MM-DD."],
    ["to", to !== "" && toMs === null && "Write the day as YYYY-MM-DD."],
    ["to", isBackwards && "The last day is before the first."],
  ];
  return Object.fromEntries(found.filter(([, problem]) => problem !== false)) as FieldProblems;
}

/** The first millisecond of a day in UTC; null for anything that isn't one. */
function startOfDay(day: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const ms = Date.parse(`${day}T00:00:00.000Z`);
  const isOnCalendar = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
  return isOnCalendar ? ms : null;
}
