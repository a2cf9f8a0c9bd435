import type { Context } from "hono";
import type { AnswerHtmlStore } from "../../domain/answer-html.ts";
import type { Clock } from "../../domain/clock.ts";
import type { AgentGlances, ConversationStore, RunPageReads, RunReads } from "../../domain/ports.ts";
import type { CliFinding, Runner, Wakeups, Workspaces } from "../../runner/runner-api.ts";
import type { Containment, Frame } from "../../views/layout.tsx";
import type { RouteEnvironment } from "../environment.ts";
import type { FrameSource } from "../event-stream.ts";
import type { HealthReads } from "./health/health-reads.ts";

export interface PageDependencies {
  runner: Runner;
  conversations: ConversationStore;
  runs: RunReads & RunPageReads;
  answerHtml: AnswerHtmlStore;
  glances: AgentGlances;
  /** A piece of a run's redacted raw log; null when there is none (any more). */
  readLogPiece: ReadLogPiece;
  /** Wakes whenever the run's raw log has grown, until the function that comes back is called. */
  onLogGrown: (runId: string, wake: () => void) => () => void;
  wakeups: Wakeups;
  clock: Clock;
  workspaces: Workspaces;
  /** What was found of each CLI, and what is missing; answers soon, whatever the CLIs do. */
  findClis: () => Promise<CliFinding[]>;
  /** What stands about it in a page's banner. */
  containment: () => Containment;
  health: HealthReads;
  version: string;
  assetUrl: (name: string) => string;
  /** Opens a bounded stream of server-sent events, pulled from the source as the client takes them. */
  sse: (c: Context<RouteEnvironment>, source: FrameSource) => Response;
  /** Makes the key that a form carries, so that sending it twice is one message. */
  makeIdempotencyKey: () => string;
}

/** At most `bytesMax` bytes from `fromByte` on, cut at a character; a negative `fromByte` counts from the end. */
export type ReadLogPiece = (
  runId: string,
  fromByte: number,
  bytesMax: number,
) => Promise<{ text: string; fromByte: number; nextByte: number; totalBytes: number } | null>;

type FrameParts = Pick<PageDependencies, "assetUrl" | "version" | "containment" | "health">;

export function frameOf({ assetUrl, version, containment, health }: FrameParts): Frame {
  return { assetUrl, version, containment: containment(), attention: health.attention() };
}
