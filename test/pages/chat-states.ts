import { openChat, type PageState, unfold } from "./page-state.ts";
import { longTalk } from "./state-plays.ts";

/** True when the page has stayed there for two frames, so that it knows that its reader has scrolled. */
async function scrollsToTheMiddle(): Promise<boolean> {
  const middle = Math.floor(document.documentElement.scrollHeight / 2);
  scrollTo(0, middle);
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return Math.abs(scrollY - middle) < 2;
}

/** What a chat may look like, on the stage of the talks. */
export const chatStates: PageState[] = [
  {
    name: "chat-empty",
    shows: "A new agent, to whom nothing was said yet",
    open: openChat("newcomer", "#empty"),
  },
  {
    name: "chat-streaming",
    shows: "An answer on its way: finished blocks, an open end, what goes on, Stop",
    open: openChat("planner", ".turn.live >> text=So far the importer has"),
  },
  {
    name: "chat-tool-running",
    shows: "A tool call that runs, with its time",
    open: openChat("charts", ".turn.live .tool >> text=make charts"),
  },
  {
    name: "chat-tools",
    shows: "Tool calls as cards: done, failed, an edit, denied",
    open: openChat("api", ".turn.answer.state-succeeded"),
  },
  {
    name: "chat-tools-open",
    shows: "The same with input and output open",
    async open(page, stage) {
      await openChat("api", ".turn.answer.state-succeeded")(page, stage);
      await unfold(page, ".tool:not([open]) > summary");
      await page
        .locator(".tool")
        .first()
        .evaluate((card) => card.scrollIntoView());
    },
  },
  {
    name: "chat-diff",
    shows: "Edits as diffs, a new file and several changes of one file",
    async open(page, stage) {
      await openChat("web", ".turn.answer.state-succeeded")(page, stage);
      await unfold(page, ".tool:not([open]) > summary");
    },
  },
  {
    name: "chat-thinking",
    shows: "What it thought, unfolded",
    async open(page, stage) {
      await openChat("keeper", ".turn.answer.state-succeeded")(page, stage);
      await unfold(page, ".thinking:not([open]) > summary");
    },
  },
  {
    name: "chat-code",
    shows: "Markdown: a table, highlighted code, a quotation",
    open: openChat("docs", ".turn.answer.state-succeeded pre"),
  },
  {
    name: "chat-long-message",
    shows: "A long message, folded after its beginning",
    async open(page, stage) {
      await openChat("logs", ".turn.answer.state-succeeded")(page, stage);
      await page.locator(".turn.user .fold summary").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "chat-error",
    shows: "A run that failed: why, what to do, Try again",
    open: openChat("staging", ".turn.answer.state-failed .problem"),
  },
  {
    name: "chat-stopped",
    shows: "A run that was stopped; what it had said is kept",
    open: openChat("style", ".turn.answer.state-cancelled"),
  },
  {
    name: "chat-queued",
    shows: "Messages that wait, each with its place, Edit and Take back",
    open: openChat("importer", ".turn.pending >> nth=2"),
  },
  {
    name: "chat-notices",
    shows: "A fresh session, an API that failed twice, a limited rate",
    open: openChat("words", ".notice-rate_limit"),
  },
  {
    name: "chat-new-below",
    shows: "Something new below, for a reader who has scrolled up",
    async open(page, stage) {
      await openChat("coast", ".turn.answer")(page, stage);
      await page.waitForFunction(scrollsToTheMiddle);
      await stage.execute("coast", longTalk(1)[0]![0]);
      await page.locator("[data-to-end]:visible").waitFor();
    },
  },
  {
    name: "chat-menu",
    shows: "What else can be done: settings, export, the command for a terminal",
    async open(page, stage) {
      await openChat("docs", ".turn.answer")(page, stage);
      await page.click(".menu summary");
    },
  },
  {
    name: "chat-edit",
    shows: "A waiting message back in the composer, to be edited",
    async open(page, stage) {
      await stage.start("importer", "Tell the harbour master when it is done.");
      await openChat("importer", ".turn.pending >> nth=3")(page, stage);
      await page.click(".turn.pending >> nth=3 >> text=Edit");
      await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>("#composer-text")?.value);
    },
  },
  {
    name: "chat-gone",
    shows: "An agent that was deleted while somebody looked",
    async open(page, stage) {
      await stage.makeAgent("brief");
      await openChat("brief", "#empty")(page, stage);
      await stage.server.fetch("/api/agents/brief", { method: "DELETE" });
      await page.locator("text=brief is gone").waitFor();
    },
  },
];
