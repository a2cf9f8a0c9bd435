import { z } from "zod";
import { acpAgentNameSchema } from "./acp-agent.ts";
import { agentIdPattern } from "./ids.ts";

/** CLIs that Headway knows by name; `carriedClis` are those it can run today. */
export const cliNames = ["claude", "droid", "gemini", "demo", "acp"] as const;
export const cliSchema = z.enum(cliNames);
export type Cli = z.infer<typeof cliSchema>;

export const carriedClis = ["claude", "droid", "gemini", "demo", "acp"] as const satisfies readonly Cli[];

export const commModes = ["headless", "tmux", "shadow"] as const;
export const commModeSchema = z.enum(commModes);
export type CommMode = z.infer<typeof commModeSchema>;

export const permissionModes = ["read", "edit", "full"] as const;
export const permissionModeSchema = z.enum(permissionModes);
export type PermissionMode = z.infer<typeof permissionModeSchema>;

/** `workspace`: it writes only in its folder, in the CLI's own and in temporary ones; the rest it can read. */
export const filePolicies = ["open", "workspace"] as const;
export const filePolicySchema = z.enum(filePolicies);
export type FilePolicy = z.infer<typeof filePolicySchema>;

/** Deeper data would exhaust the stack of whoever walks it, JSON.stringify above all. */
const metadataDepthMax = 64;

/** Free data of the owner's; kept, never interpreted. */
export const metadataSchema = z
  .record(z.string().max(128), z.unknown())
  .refine((value) => isAtMostDeep(value, metadataDepthMax), { error: "nested at most 64 deep", abort: true })
  .refine((value) => JSON.stringify(value).length <= 16_384, "at most 16 KiB as JSON");

function isAtMostDeep(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((item) => isAtMostDeep(item, depth - 1));
}

/** A name may not begin with "-": it becomes an argument of the CLI. */
const modelSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/@[\]-]{0,127}$/,
    "letters, digits and ._:/@[]- only, at most 128 characters",
  );

const pathSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => path.startsWith("/"), "an absolute path")
  .refine((path) => !path.includes("\0"), "no NUL");

const timeoutMsSchema = z.int().min(1_000).max(86_400_000);

export const agentInputSchema = z.strictObject({
  id: z
    .string()
    .regex(agentIdPattern, "lower-case letters, digits, _ and -, at most 63, not beginning with _ or -"),
  cli: cliSchema,
  /** Which of the configured ACP agents; with the CLI acp only. */
  acpAgent: acpAgentNameSchema.nullish(),
  commMode: commModeSchema.default("headless"),
  cwd: pathSchema,
  model: modelSchema.nullish(),
  systemPrompt: z
    .string()
    .max(65_536)
    .refine((text) => !text.includes("\0"), "no NUL")
    .nullish(),
  permissionMode: permissionModeSchema.default("edit"),
  filePolicy: filePolicySchema.default("open"),
  mcpConfigPath: pathSchema.nullish(),
  timeoutMs: timeoutMsSchema.nullish(),
  memoryLimitMb: z.int().min(64).max(1_048_576).nullish(),
  metadata: metadataSchema.nullish(),
});
export type AgentInput = z.infer<typeof agentInputSchema>;

export const agentPatchSchema = z.strictObject({
  commMode: commModeSchema.optional(),
  cwd: pathSchema.optional(),
  model: agentInputSchema.shape.model,
  systemPrompt: agentInputSchema.shape.systemPrompt,
  permissionMode: permissionModeSchema.optional(),
  filePolicy: filePolicySchema.optional(),
  mcpConfigPath: agentInputSchema.shape.mcpConfigPath,
  timeoutMs: agentInputSchema.shape.timeoutMs,
  memoryLimitMb: agentInputSchema.shape.memoryLimitMb,
  metadata: agentInputSchema.shape.metadata,
});
export type AgentPatch = z.infer<typeof agentPatchSchema>;

export const agentSettingsSchema = z.object({
  id: z.string(),
  cli: cliSchema,
  acpAgent: z.string().nullable(),
  commMode: commModeSchema,
  cwd: z.string(),
  model: z.string().nullable(),
  systemPrompt: z.string().nullable(),
  permissionMode: permissionModeSchema,
  filePolicy: filePolicySchema,
  mcpConfigPath: z.string().nullable(),
  timeoutMs: z.int().nullable(),
  memoryLimitMb: z.int().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  createdAt: z.string(),
  updatedAt: z.string(),
});
/** What the owner set, as stored. */
export type AgentSettings = z.infer<typeof agentSettingsSchema>;

export const agentStatuses = ["idle", "running", "quarantined"] as const;

export const agentSchema = agentSettingsSchema.extend({
  effectiveMode: commModeSchema,
  status: z.enum(agentStatuses),
  queueLength: z.int(),
  activeRunId: z.string().nullable(),
  activeConversationId: z.string().nullable(),
  breaker: z.object({
    state: z.enum(["closed", "open", "half_open"]),
    failures: z.int(),
    retryAt: z.string().nullable(),
  }),
  warm: z.boolean(),
});
/** An agent as the API shows it: its settings and what it is doing now. */
export type Agent = z.infer<typeof agentSchema>;
