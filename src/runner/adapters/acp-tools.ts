import type { RunEventBody } from "../../domain/event.ts";
import type { AcpContent, ToolCallUpdate } from "./acp-lines.ts";
import { isObject } from "./json-line.ts";
import { toolFinished, toolStarted } from "./tool-events.ts";

/** What is known of one tool call; the agent tells it piece by piece. */
export interface ToolCall {
  readonly toolId: string;
  readonly name: string;
  kind: string;
  paths: string[];
  title: string;
  rawInput: unknown;
  rawOutput: unknown;
  content: NonNullable<ToolCallUpdate["content"]>;
  state: "announced" | "started" | "finished";
  /** The agent has asked for permission. */
  isAsked: boolean;
}

/** The tool calls of one turn, by id. */
export type ToolCalls = Map<string, ToolCall>;

/** Takes what an update or a permission request says of a call; each thing that it leaves out is as before. */
export function noteToolCall(calls: ToolCalls, update: ToolCallUpdate): ToolCall {
  const call = calls.get(update.toolCallId) ?? newToolCall(update);
  calls.set(update.toolCallId, call);
  call.kind = update.kind ?? call.kind;
  call.title = update.title ?? call.title;
  call.paths = update.locations?.map(({ path }) => path) ?? call.paths;
  call.rawInput = update.rawInput ?? call.rawInput;
  call.rawOutput = update.rawOutput ?? call.rawOutput;
  call.content = update.content ?? call.content;
  return call;
}

function newToolCall(update: ToolCallUpdate): ToolCall {
  return {
    toolId: update.toolCallId,
    name: nameOf(update),
    kind: "other",
    paths: [],
    title: "",
    rawInput: undefined,
    rawOutput: undefined,
    content: [],
    state: "announced",
    isAsked: false,
  };
}

/**
 * The tool's own name, which ACP doesn't have: Claude's agent tells it beside the protocol, Gemini begins its
 * ids with it ("run_shell_command__…", or with a time behind), opencode gives it as the first title, "bash".
 */
function nameOf({ toolCallId, title = "", kind = "other", _meta: meta }: ToolCallUpdate): string {
  const inId = /^(.{1,128})(?:__(?!.*__)|-\d{13}-\w{1,32}$)/.exec(toolCallId)?.[1];
  const candidates = [meta?.claudeCode?.toolName, inId, title, kind];
  return candidates.find((name) => name !== undefined && /^[A-Za-z_][\w.-]{0,127}$/.test(name)) ?? "tool";
}

/** What an update of a call makes known: that it began, and that it ended. */
export function readToolCall(call: ToolCall, status: string | undefined): RunEventBody[] {
  const hasEnded = status === "completed" || status === "failed";
  if (!hasEnded) return isUnderWay(call, status) ? startTool(call) : [];
  return finishTool(call, status === "failed", outputOf(call));
}

/**
 * A call is pending while the model still writes its input (opencode then tells the folder alone), but
 * some agents never say that it is in progress: there the input tells that it is whole.
 */
function isUnderWay({ rawInput, kind, content }: ToolCall, status: string | undefined): boolean {
  // Gemini tells what an edit changes when it is done, and that is what people want to see of it.
  if (kind === "edit" && !isObject(rawInput) && content.length === 0) return false;
  if (status === "in_progress") return true;
  return isObject(rawInput) && Object.keys(rawInput).some((key) => key !== "cwd");
}

/** Once for each call. */
export function startTool(call: ToolCall): RunEventBody[] {
  if (call.state !== "announced") return [];
  call.state = "started";
  return [toolStarted(call.toolId, call.name, inputOf(call))];
}

/** Once for each call, and never before it has started. */
export function finishTool(call: ToolCall, isError: boolean, output: string): RunEventBody[] {
  if (call.state === "finished") return [];
  const started = startTool(call);
  call.state = "finished";
  return [...started, toolFinished(call.toolId, isError, output)];
}

/** The end of the turn ends what an agent left open: nobody will hear of it any more. */
export function finishOpenTools(calls: ToolCalls, isError: boolean): RunEventBody[] {
  const open = [...calls.values()].filter(({ state }) => state === "started");
  return open.flatMap((call) => finishTool(call, isError, outputOf(call)));
}

/** What the tool was called with, or, where the agent keeps that to itself, what it says about it. */
function inputOf({ rawInput, title, paths, content }: ToolCall): unknown {
  if (isObject(rawInput) && Object.keys(rawInput).length > 0) return rawInput;
  const changes = content.filter(({ type }) => type === "diff");
  return {
    ...(title === "" ? {} : { title }),
    ...(paths.length === 0 ? {} : { paths }),
    ...(changes.length === 0
      ? {}
      : { changes: changes.map(({ path, oldText, newText }) => ({ path, oldText, newText })) }),
  };
}

function outputOf({ content, rawOutput }: ToolCall): string {
  const shown = content.map(contentText).join("\n");
  if (shown !== "") return shown;
  if (typeof rawOutput === "string") return rawOutput;
  return isObject(rawOutput) && typeof rawOutput.output === "string" ? rawOutput.output : "";
}

function contentText({ type, content, path }: ToolCall["content"][number]): string {
  if (type === "content" && content) return textOfContent(content);
  return type === "diff" ? `Changed ${path ?? "a file"}.` : `[${type}]`;
}

/** Text as it is; of what isn't text its place or its type, since nothing else can be shown. */
export function textOfContent({ type, text, uri, resource }: AcpContent): string {
  return text ?? resource?.text ?? resource?.uri ?? uri ?? `[${type}]`;
}
