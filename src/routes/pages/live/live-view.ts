import type { TerminalState } from "../../../domain/run-state.ts";

/**
 * Something that a page follows: an agent's conversation, a run, all agents. A browser follows everything
 * that its tabs show over one stream, since it opens six connections to a server and no more.
 */
export interface LiveView {
  /** What has changed on the page since the last call; asked for after each ring, and once at the beginning. */
  update(): Promise<LiveUpdate>;
  /** Takes its listeners away. */
  close(): void;
}

export interface LiveUpdate {
  /** `partial`s; "" when nothing has to be changed. */
  html: string;
  /** What the page shows with this update: what a new view of the same thing goes on from. */
  cursor: string;
  /** True when there is nothing to follow any more; the view is then closed. */
  gone: boolean;
  /** Runs that have ended since the last call, for people who look elsewhere. */
  news: readonly News[];
}

export interface News {
  agentId: string;
  runId: string;
  state: TerminalState;
}

/**
 * Opens a view. `name` is what stands after the kind in a view's key ("anna" in "agent/anna"), `cursor` what
 * the page shows already ("" or one that this server doesn't know: nothing), `ring` says "look again".
 */
export type OpenLiveView = (name: string, cursor: string, ring: () => void) => LiveView;
