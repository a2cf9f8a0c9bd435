import type { BrowserContext, Page } from "playwright-core";
import { chatStates } from "./chat-states.ts";
import { go, openChat, openPath, type PageState } from "./page-state.ts";
import { conversationStates, runStates } from "./record-states.ts";
import {
  openBareStage,
  openBoardStage,
  openFirstStage,
  openTalksStage,
  quarantine,
  type Stage,
} from "./state-stages.ts";

interface StateGroup {
  openStage(): Promise<Stage>;
  states: readonly PageState[];
}

const bareStates: PageState[] = [
  { name: "login", shows: "The form for the token", isLoggedOut: true, open: openPath("/login") },
  {
    name: "login-refused",
    shows: "A token that isn't right",
    isLoggedOut: true,
    async open(page, stage) {
      await go(page, stage, "/login");
      await page.fill("#field-token", "not the token");
      await Promise.all([page.waitForEvent("load"), page.click("main button")]);
    },
  },
  {
    name: "overview-nothing-found",
    shows: "The first visit: no CLI on this machine, and the sandbox is off",
    open: openPath("/"),
  },
  { name: "conversations-none", shows: "Before the first conversation", open: openPath("/conversations") },
  { name: "health-degraded", shows: "The sandbox is off", open: openPath("/health") },
  { name: "not-found", shows: "An address that leads nowhere", open: openPath("/runs/none") },
  { name: "api", shows: "The documentation of the API", open: openPath("/api/docs") },
];

const firstStates: PageState[] = [
  { name: "overview-first", shows: "The first visit, with Claude Code found", open: openPath("/") },
  { name: "agent-new", shows: "The form for a new agent", open: openPath("/agents/new") },
  {
    name: "agent-new-problems",
    shows: "The same with mistakes, each told at its field",
    async open(page, stage) {
      await go(page, stage, "/agents/new");
      await page.fill("#field-id", "My Agent");
      await page.click("details summary");
      await page.fill("#field-timeout", "soon");
      await page.fill("#field-metadata", "{");
      await Promise.all([page.waitForEvent("load"), page.click("text=Create agent")]);
    },
  },
  {
    name: "health",
    shows: "All is well, and what holds here",
    async open(page, stage) {
      await go(page, stage, "/health");
      await page.locator(".self-test").waitFor();
    },
  },
  {
    name: "health-containment",
    shows: "What the self-test of the containment tried, and what lived on",
    async open(page, stage) {
      await go(page, stage, "/health");
      await page.locator(".self-test").waitFor();
      await page.locator("#health-containment").evaluate((section) => section.scrollIntoView());
    },
  },
];

const boardStates: PageState[] = [
  {
    name: "overview",
    shows: "Agents that run, wait, rest, failed, or need a person",
    async open(page, stage) {
      quarantine(stage.server, "haunted");
      await go(page, stage, "/");
      await page.locator("text=make charts").first().waitFor();
    },
  },
  {
    name: "chat-quarantined",
    shows: "An agent that takes no messages until somebody has acted",
    async open(page, stage) {
      quarantine(stage.server, "haunted");
      await openChat("haunted", ".agent-trouble p")(page, stage);
    },
  },
  {
    name: "chat-breaker-open",
    shows: "An agent whose service fails: why, until when, and a way to try at once",
    open: openChat("mail", ".agent-trouble p"),
  },
  {
    name: "health-concerns",
    shows: "An open circuit breaker, and an agent in quarantine",
    async open(page, stage) {
      quarantine(stage.server, "haunted");
      await go(page, stage, "/health");
      await page.locator("article.concern").nth(1).waitFor();
    },
  },
  {
    name: "chat-away",
    shows: "The server can't be reached, and the page says so",
    async open(page, stage) {
      await startAgain(stage);
      await openChat("docs", ".turn.answer")(page, stage);
      await page.waitForFunction(() => document.readyState === "complete");
      await stage.server.kill();
      await page.locator("html.away").waitFor({ state: "attached" });
    },
  },
];

async function startAgain({ server }: Stage): Promise<void> {
  const answer = await server.fetch("/healthz").catch(() => null);
  if (answer === null) await server.restart();
}

const settingsStates: PageState[] = [
  { name: "settings", shows: "An agent's settings", open: openPath("/agents/api/settings") },
  {
    name: "settings-saved",
    shows: "The same after a change",
    async open(page, stage) {
      await go(page, stage, "/agents/newcomer/settings");
      await page.fill(
        "#field-systemPrompt",
        `Be brief. ${(await page.inputValue("#field-systemPrompt")).length}`,
      );
      await Promise.all([page.waitForEvent("load"), page.click("text=Save")]);
      await page.locator(".saved").waitFor();
    },
  },
  {
    name: "settings-not-deleted",
    shows: "An agent that can't be deleted while it runs",
    async open(page, stage) {
      await go(page, stage, "/agents/planner/settings");
      await Promise.all([page.waitForEvent("load"), page.click("button.danger")]);
    },
  },
];

const groups: readonly StateGroup[] = [
  { openStage: openBareStage, states: bareStates },
  { openStage: openFirstStage, states: firstStates },
  { openStage: openBoardStage, states: boardStates },
  {
    openStage: openTalksStage,
    states: [...chatStates, ...settingsStates, ...conversationStates, ...runStates],
  },
];

/** All states, in the order in which they are visited. */
export const pageStates: readonly PageState[] = groups.flatMap(({ states }) => states);

export interface Visit {
  state: PageState;
  page: Page;
  stage: Stage;
}

/**
 * Brings about the states that are wanted, one after the other, and hands each to `visit` as often as
 * there are `sizes`, on a fresh page of that size.
 */
export async function visitStates(
  context: BrowserContext,
  sizes: readonly { width: number; height: number }[],
  visit: (visit: Visit) => Promise<void>,
  isWanted: (state: PageState) => boolean = () => true,
): Promise<void> {
  for (const { openStage, states } of groups) {
    const wanted = states.filter(isWanted);
    if (wanted.length === 0) continue;
    await using stage = await openStage();
    // Servers on one machine share the cookies of a browser, whatever their ports.
    await context.clearCookies();
    for (const state of wanted) {
      if (!state.isLoggedOut) await logIn(context, stage);
      for (const size of sizes) {
        const page = await context.newPage();
        await page.setViewportSize(size);
        await state.open(page, stage);
        await visit({ state, page, stage });
        await page.close();
      }
    }
  }
}

/** Once for each server: the states of one that need no login come first. */
async function logIn(context: BrowserContext, { server }: Stage): Promise<void> {
  if ((await context.cookies()).length > 0) return;
  await context.request.post(`${server.url}/login`, { form: { token: server.token }, maxRedirects: 0 });
}
