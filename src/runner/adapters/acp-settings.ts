import type { PermissionMode } from "../../domain/agent.ts";
import type { ConfigOption, SessionReply } from "./acp-lines.ts";
import { isModel } from "./acp-names.ts";

/** What to ask for to have a session's setting changed. */
export interface SettingChange {
  method: string;
  params: Readonly<Record<string, string>>;
}

export interface Setting {
  /** Whether the session can be set as it is wanted. */
  isOffered: boolean;
  /** Null when the session may stay as it is. */
  change: SettingChange | null;
}

/**
 * Names under which agents offer modes of our meaning, without case and punctuation: Claude's `acceptEdits`
 * and `bypassPermissions`, Gemini's `autoEdit` and `yolo`, Codex's `read-only` and `full-access`, opencode's `plan`.
 */
const modeNames: Record<PermissionMode, readonly string[]> = {
  read: ["plan", "readonly", "read"],
  edit: ["acceptedits", "autoedit", "edit"],
  full: ["bypasspermissions", "yolo", "fullaccess", "full"],
};

/** A choice that a session offers; config options are the newer way, and go before the older lists. */
interface Choice {
  current: string | undefined;
  offered: readonly string[];
  changeTo(value: string): SettingChange;
}

/**
 * Where no mode has the wanted meaning, a loaded session may still be in one with another: it was begun under
 * another permission mode, and opencode keeps that. Then the first mode without a meaning of ours is right.
 */
export function permissionSetting(session: SessionReply, mode: PermissionMode): Setting {
  const choice = modeChoice(session);
  const wanted = choice.offered.find((name) => meaningOf(name) === mode);
  if (wanted !== undefined) return { isOffered: true, change: changeOf(choice, wanted) };
  const isElsewhere = choice.current !== undefined && meaningOf(choice.current) !== null;
  const neutral = isElsewhere ? choice.offered.find((name) => meaningOf(name) === null) : undefined;
  return { isOffered: false, change: neutral === undefined ? null : changeOf(choice, neutral) };
}

function meaningOf(name: string): PermissionMode | null {
  const bare = name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const modes: readonly PermissionMode[] = ["read", "edit", "full"];
  return modes.find((mode) => modeNames[mode].includes(bare)) ?? null;
}

export function modelSetting(session: SessionReply, model: string): Setting {
  const choice = modelChoice(session);
  const isOffered = choice.offered.includes(model);
  return { isOffered, change: isOffered ? changeOf(choice, model) : null };
}

/** The model that a session begins with; null when the agent doesn't tell, or names none that could be kept. */
export function currentModel(session: SessionReply): string | null {
  const { current } = modelChoice(session);
  return current !== undefined && isModel(current) ? current : null;
}

function modeChoice({ configOptions, modes }: SessionReply): Choice {
  return (
    optionChoice(configOptions, "mode") ?? {
      current: modes?.currentModeId,
      offered: modes?.availableModes?.map(({ id }) => id) ?? [],
      changeTo: (modeId) => ({ method: "session/set_mode", params: { modeId } }),
    }
  );
}

function modelChoice({ configOptions, models }: SessionReply): Choice {
  return (
    optionChoice(configOptions, "model") ?? {
      current: models?.currentModelId,
      offered: models?.availableModels?.map(({ modelId }) => modelId) ?? [],
      changeTo: (modelId) => ({ method: "session/set_model", params: { modelId } }),
    }
  );
}

function optionChoice(options: SessionReply["configOptions"], category: string): Choice | null {
  const option = options?.find((one) => (one.category ?? one.id) === category);
  if (!option) return null;
  return {
    current: option.currentValue,
    offered: valuesOf(option),
    changeTo: (value) => ({
      method: "session/set_config_option",
      params: { configId: option.id, value },
    }),
  };
}

/** Options may stand in groups. */
function valuesOf({ options = [] }: ConfigOption): string[] {
  const all = options.flatMap((option) => [option, ...(option.options ?? [])]);
  return all.flatMap(({ value }) => value ?? []);
}

function changeOf({ current, changeTo }: Choice, value: string): SettingChange | null {
  return current === value ? null : changeTo(value);
}
