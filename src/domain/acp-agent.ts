import { z } from "zod";
import { agentIdPattern } from "./ids.ts";

/** The file in the data directory that names them. */
export const acpAgentsFile = "acp-agents.json";

/** A program that speaks the Agent Client Protocol, as the owner of the server configured it. */
export interface AcpAgentConfig {
  /** By which agents name it. */
  readonly name: string;
  /** As people know it; the name where the owner gave none. */
  readonly title: string;
  /** A program that is looked up on `PATH`, or an absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  /** What it is given, beside what every CLI gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables of the server's environment that are handed on to it. */
  readonly passEnv: readonly string[];
  /** Folders of its own, beside those that bear its name, in which it may write under the file policy `workspace`. */
  readonly writableFolders?: readonly string[];
}

const agentsMax = 32;
const partsMax = 64;
const partCharsMax = 4_096;
const valueCharsMax = 16_384;

const nameAllowed = "lower-case letters, digits, _ and -, at most 63, not beginning with _ or -";
const commandAllowed = "the name of a program on PATH or an absolute path, at most 4096 characters, no NUL";
const variableAllowed = "letters, digits and _, at most 128, not beginning with a digit or HEADWAY_";
const titleAllowed = "1 to 63 characters, all visible, none of them a line break";

export const acpAgentNameSchema = z.string(nameAllowed).regex(agentIdPattern, nameAllowed);

const variableSchema = z
  .string(variableAllowed)
  .regex(/^(?!HEADWAY_)[A-Za-z_][A-Za-z0-9_]{0,127}$/, variableAllowed);

function textSchema(charsMax: number) {
  const allowed = `text of at most ${charsMax} characters, no NUL`;
  return z
    .string(allowed)
    .max(charsMax, allowed)
    .refine((text) => !text.includes("\0"), allowed);
}

const folderAllowed = "an absolute path other than /, at most 4096 characters, no NUL";
const folderSchema = z
  .string(folderAllowed)
  .max(partCharsMax, folderAllowed)
  .regex(/^\/[^\0]*[^\0/]$/, folderAllowed);

function listOf<T extends z.ZodType>(item: T, what: string) {
  const allowed = `a list of at most ${partsMax} ${what}`;
  return z.array(item, allowed).max(partsMax, allowed).default([]);
}

const environmentAllowed = `an object of at most ${partsMax} variables and their values`;
const environmentSchema = z
  .record(variableSchema, textSchema(valueCharsMax), environmentAllowed)
  .refine((environment) => Object.keys(environment).length <= partsMax, environmentAllowed)
  .default({});

const entrySchema = z.strictObject(
  {
    /** It becomes the first part of a command line, so it may neither be an option nor a relative path. */
    command: z
      .string(commandAllowed)
      .max(partCharsMax, commandAllowed)
      .regex(/^(?:\/[^\0]*[^\0/]|[A-Za-z0-9_][A-Za-z0-9._+-]*)$/, commandAllowed),
    args: listOf(textSchema(partCharsMax), "arguments"),
    env: environmentSchema,
    passEnv: listOf(variableSchema, "names of variables"),
    writableFolders: listOf(folderSchema, "absolute paths of folders"),
    title: z
      .string(titleAllowed)
      .regex(/^(?=.*\S)[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,63}$/u, titleAllowed)
      .optional(),
  },
  "an object with command and, if need be, args, env, passEnv, writableFolders and title; nothing else",
);

const fileAllowed = `an object of at most ${agentsMax} ACP agents by name`;
/** The whole file. Every message says what is allowed at the place that it is about. */
export const acpAgentsSchema = z
  .record(acpAgentNameSchema, entrySchema, fileAllowed)
  .refine((agents) => Object.keys(agents).length <= agentsMax, fileAllowed)
  .transform((agents) => Object.entries(agents).map(([name, entry]) => configOf(name, entry)));

function configOf(name: string, { title = name, ...entry }: z.infer<typeof entrySchema>): AcpAgentConfig {
  return { name, title, ...entry };
}
