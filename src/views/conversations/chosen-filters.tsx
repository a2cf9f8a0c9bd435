import type { Cli } from "../../domain/agent.ts";
import { type ConversationState, searchedCharsMax } from "../../domain/conversation.ts";
import { noSearch, type SearchField, searchPath, type SearchValues } from "./conversation-search.ts";
import { cliNamesShown, conversationStatesShown, cut } from "../wording.ts";

const wordsShownMax = 100;

/** What was looked for in vain, and how the search works. */
export function NothingFound({ values }: { values: SearchValues }) {
  const { q } = values;
  const filters = filtersOf(values).map(({ shown }) => shown);
  return (
    <div class="empty">
      <p>
        No conversation
        {q.trim() !== "" && (
          <>
            {" "}
            has a turn with{" "}
            <q>
              <bdi>{cut(q.trim(), wordsShownMax).text}</bdi>
            </q>
          </>
        )}
        {filters.length > 0 && ` among these: ${filters.join(", ")}`}.
      </p>
      {q.trim() !== "" && (
        <p class="hint">
          A turn is found when it holds every word; the last one may be unfinished, from three letters on.
          Capitals and accents don't count. Of a very long turn only the beginning is searched, its first{" "}
          {searchedCharsMax.toLocaleString("en")} characters.
        </p>
      )}
    </div>
  );
}

/** What the list is narrowed down to; each leads to the search without it. */
export function ChosenFilters({ values }: { values: SearchValues }) {
  const filters = filtersOf(values);
  if (filters.length === 0) return null;
  return (
    <ul class="chosen-filters" aria-label="Filters">
      {filters.map(({ field, shown }) => (
        <li>
          <a class="chip filter-chip" href={searchPath({ ...values, [field]: "" })}>
            <span class="unseen">Remove the filter </span>
            {shown} <span aria-hidden="true">×</span>
          </a>
        </li>
      ))}
      {filters.length > 1 && (
        <li>
          <a href={searchPath({ ...noSearch, q: values.q })}>Remove all</a>
        </li>
      )}
    </ul>
  );
}

function filtersOf({ agent, cli, state, from, to }: SearchValues): { field: SearchField; shown: string }[] {
  return [
    { field: "agent" as const, shown: agent && `agent ${agent}` },
    { field: "cli" as const, shown: cli && cliNamesShown[cli as Cli] },
    { field: "state" as const, shown: state && conversationStatesShown[state as ConversationState] },
    { field: "from" as const, shown: from && `from ${from}` },
    { field: "to" as const, shown: to && `until ${to}` },
  ].filter(({ shown }) => shown !== "");
}
