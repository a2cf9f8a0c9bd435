import type { Conversation } from "../../src/domain/conversation.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import { expectJson } from "../helpers/http.ts";
import { go, openPath, openRun, type PageState } from "./page-state.ts";
import type { Stage } from "./state-stages.ts";

/** What can be searched and read, on the stage of the talks. */
export const conversationStates: PageState[] = [
  { name: "conversations", shows: "All conversations", open: openPath("/conversations") },
  {
    name: "conversations-hits",
    shows: "A search, its hits marked",
    async open(page, stage) {
      await go(page, stage, "/conversations");
      await page.fill("#field-q", "table");
      await page.locator("#found mark").first().waitFor();
    },
  },
  {
    name: "conversations-nothing",
    shows: "A search that finds nothing",
    open: openPath("/conversations?q=submarine"),
  },
  {
    name: "conversations-refused",
    shows: "A filter that can't be",
    open: openPath("/conversations?q=table&agent=Not+a+name&from=2026-03-09&to=2026-03-01"),
  },
  {
    name: "conversation-turn",
    shows: "A long conversation, opened at a turn",
    async open(page, stage) {
      await go(page, stage, await pathOfTurn(stage, "long", 31));
    },
  },
  {
    name: "conversation-ended",
    shows: "A conversation that has ended, with a field to take it up again",
    open: (page, stage) => go(page, stage, `/conversations/${stage.idOf("ended")}`),
  },
  {
    name: "conversation-orphaned",
    shows: "A conversation of an agent that was deleted",
    open: (page, stage) => go(page, stage, `/conversations/${stage.idOf("orphaned")}`),
  },
];

async function pathOfTurn({ server, idOf }: Stage, name: string, seq: number): Promise<string> {
  const path = `/api/conversations/${idOf(name)}?before=${seq + 1}&limit=1`;
  const { id, turns } = await expectJson<Conversation>(server.fetch, 200, "GET", path);
  return `/conversations/${id}?at=${seq}#${turns[0]!.id}`;
}

/** Runs of all kinds, on the stage of the talks. */
export const runStates: PageState[] = [
  { name: "run-queued", shows: "A run that waits", open: openRun("importer", "", "text=place") },
  {
    name: "run-running",
    shows: "A run in progress, live",
    open: openRun("charts", "", "#steps >> text=make charts"),
  },
  {
    name: "run-succeeded",
    shows: "A run with tools: its timeline",
    open: openRun("api", "", ".drawing rect"),
  },
  { name: "run-failed", shows: "A run that failed", open: openRun("staging", "", ".run-head .problem") },
  { name: "run-stopped", shows: "A run that was stopped", open: openRun("style", "", ".state-cancelled") },
  {
    name: "run-10000-events",
    shows: "The end of ten thousand events",
    async open(page, stage) {
      await openRun("almanac", "", "#events")(page, stage);
      await page.locator("#events").evaluate((events) => events.scrollIntoView());
    },
  },
  {
    name: "run-log",
    shows: "What the CLI printed",
    async open(page, stage) {
      await openRun("api", "", "#raw-log")(page, stage);
      await page.locator("#raw-log").evaluate((log) => log.scrollIntoView());
    },
  },
  {
    name: "run-tool-call",
    shows: "One tool call, whole",
    async open(page, stage) {
      const path = `/api/runs/${stage.idOf("api")}/events?limit=500`;
      const { items } = await expectJson<{ items: RunEvent[] }>(stage.server.fetch, 200, "GET", path);
      const edit = items.find((event) => event.type === "tool.started" && event.name === "Edit");
      const toolId = edit?.type === "tool.started" ? edit.toolId : "";
      await go(page, stage, `/runs/${stage.idOf("api")}/tools/${toolId}`);
    },
  },
];
