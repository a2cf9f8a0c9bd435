import type { Context } from "hono";
import type { ConversationStore, RunReads } from "../../domain/ports.ts";
import type { CliReport, Runner, Wakeups, Workspaces } from "../../runner/runner-api.ts";
import type { Containment, Frame } from "../../views/layout.tsx";
import type { RouteEnvironment } from "../environment.ts";
import type { FrameSource } from "../event-stream.ts";

export interface PageDependencies {
  runner: Runner;
  conversations: ConversationStore;
  runs: RunReads;
  wakeups: Wakeups;
  workspaces: Workspaces;
  listClis: () => Promise<CliReport[]>;
  /** What stands about it in a page's banner. */
  containment: () => Containment;
  version: string;
  assetUrl: (name: string) => string;
  /** Opens a bounded stream of server-sent events, pulled from the source as the client takes them. */
  sse: (c: Context<RouteEnvironment>, source: FrameSource) => Response;
  /** Makes the key that a form carries, so that sending it twice is one message. */
  makeIdempotencyKey: () => string;
}

export function frameOf({ assetUrl, version, containment }: PageDependencies): Frame {
  return { assetUrl, version, containment: containment() };
}
