import type { AnyDialectCase } from "./dialect-case.ts";
import { acpOneTurn, acpWarm } from "./specimens/acp.ts";
import { claudeOneTurn, claudeWarm } from "./specimens/claude.ts";
import { demoOneTurn, demoWarm } from "./specimens/demo.ts";
import { droidOneTurn, droidWarm } from "./specimens/droid.ts";
import { geminiOneTurn, geminiWarm } from "./specimens/gemini.ts";

/** All dialects that Headway speaks, as docs/dialects.md lists them. */
export const dialectCases: readonly AnyDialectCase[] = [
  claudeWarm,
  claudeOneTurn,
  geminiWarm,
  geminiOneTurn,
  droidWarm,
  droidOneTurn,
  acpWarm,
  acpOneTurn,
  demoWarm,
  demoOneTurn,
];
