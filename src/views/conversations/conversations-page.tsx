import type { Child } from "hono/jsx";
import { ChosenFilters, NothingFound } from "./chosen-filters.tsx";
import { ConversationCard, type FoundConversation } from "./conversation-card.tsx";
import { asksNothing, searchPath, type SearchValues } from "./conversation-search.ts";
import { byId, elementIds } from "../element-ids.ts";
import { type FieldProblems, ProblemPlace } from "../forms.tsx";
import { type Frame, Page } from "../layout.tsx";
import { SearchForm, type SearchFormProps, SearchProblems } from "./search-form.tsx";
import { plural } from "../wording.ts";

/** What came of a search. */
export type Found =
  | {
      kind: "found";
      conversations: readonly FoundConversation[];
      nextCursor: string | null;
      isFirstPage: boolean;
    }
  /** Nothing was searched. */
  | { kind: "refused"; problems: FieldProblems };

export interface SearchResult {
  values: SearchValues;
  found: Found;
}

/** All conversations, or those that were searched for. */
export function ConversationsPage(props: {
  frame: Frame;
  result: SearchResult;
  choices: Pick<SearchFormProps, "agentIds" | "clis">;
}) {
  const { frame, result, choices } = props;
  const problems = result.found.kind === "refused" ? result.found.problems : {};
  return (
    <Page frame={frame} section="conversations" title="Conversations" wide keepsAddress>
      <h1>Conversations</h1>
      {isNothingThere(result) ? (
        <NoConversations />
      ) : (
        <>
          <SearchForm values={result.values} problems={problems} {...choices} />
          <ProblemPlace />
          <section id={elementIds.found} class="found" aria-label="Found conversations">
            <FoundConversations result={result} />
          </section>
        </>
      )}
    </Page>
  );
}

function isNothingThere({ values, found }: SearchResult): boolean {
  return (
    found.kind === "found" && found.isFirstPage && found.conversations.length === 0 && asksNothing(values)
  );
}

function NoConversations() {
  return (
    <section class="empty">
      <p>There are no conversations yet.</p>
      <p class="hint">
        They begin with a message to an agent, and are kept here to be read and searched.{" "}
        <a href="/">To the agents</a>
      </p>
    </section>
  );
}

/** What a search puts into a page that is there: what was found, and the problems of the form. */
export function FoundFragment({ result }: { result: SearchResult }) {
  return (
    <>
      <FoundConversations result={result} />
      <SearchProblems problems={result.found.kind === "refused" ? result.found.problems : {}} />
    </>
  );
}

function FoundConversations({ result }: { result: SearchResult }) {
  const { values, found } = result;
  const conversations = found.kind === "found" ? found.conversations : [];
  return (
    <>
      {found.kind === "found" && <ChosenFilters values={values} />}
      <FoundCount>{countShown(found)}</FoundCount>
      {found.kind === "found" && conversations.length === 0 && <NothingFound values={values} />}
      {found.kind === "found" && !found.isFirstPage && (
        <p class="pager">
          <a href={searchPath(values)}>Back to the newest</a>
        </p>
      )}
      <ol class="results" id={elementIds.foundList}>
        {conversations.map((conversation) => (
          <ConversationCard {...conversation} />
        ))}
      </ol>
      {found.kind === "found" && found.nextCursor !== null ? (
        <More path={searchPath(values, found.nextCursor)} />
      ) : (
        <p id={elementIds.more} class="pager" hidden></p>
      )}
    </>
  );
}

/** Said when it changes: how many there are, or why nothing was looked for. */
function FoundCount({ children }: { children: Child }) {
  return (
    <p id={elementIds.foundCount} class="hint" role="status">
      {children}
    </p>
  );
}

function countShown(found: Found): string {
  if (found.kind === "refused") return `Nothing was searched: ${Object.values(found.problems).join(" ")}`;
  const { conversations, nextCursor, isFirstPage } = found;
  const count = plural(conversations.length, isFirstPage ? "conversation" : "further conversation");
  return nextCursor === null ? count : `More than ${count}`;
}

/** The next page's conversations, which a click on "More" adds to those that are shown. */
export function FurtherConversations({ result }: { result: SearchResult }) {
  const { values, found } = result;
  if (found.kind === "refused") return null;
  const { conversations, nextCursor } = found;
  return (
    <>
      {conversations.map((conversation) => (
        <ConversationCard {...conversation} />
      ))}
      <hx-partial hx-target={byId(elementIds.more)} hx-swap="outerMorph">
        {nextCursor === null ? <AllShown /> : <More path={searchPath(values, nextCursor)} />}
      </hx-partial>
      <hx-partial hx-target={byId(elementIds.foundCount)} hx-swap="textContent">
        {plural(conversations.length, "further conversation")} below
      </hx-partial>
    </>
  );
}

/** A search that comes meanwhile makes what follows the old one worthless. */
function More({ path }: { path: string }) {
  return (
    <p id={elementIds.more} class="pager">
      <a
        id={elementIds.moreLink}
        href={path}
        hx-get={path}
        hx-target={byId(elementIds.foundList)}
        hx-swap="beforeend"
        hx-sync={`${byId(elementIds.search)}:drop`}
      >
        More
      </a>
    </p>
  );
}

/** Takes the place of the link to more, and with it the focus. */
function AllShown() {
  return (
    <p id={elementIds.more} class="pager">
      That is all.{" "}
      <a id={elementIds.moreLink} href={byId(elementIds.main)}>
        Back to the top
      </a>
    </p>
  );
}
