import type { LimitGroup } from "../../../views/health/health-facts.ts";
import { countShown, plural } from "../../../views/wording.ts";
import { durationText } from "../agents/duration-text.ts";

/** The settings that limit something, as people look for them. */
const groups = {
  Runs: [
    "maxRuns",
    "queueLimit",
    "runTimeoutMs",
    "stallTimeoutMs",
    "firstOutputMs",
    "killGraceMs",
    "lingerMs",
    "drainMs",
  ],
  Processes: ["memoryLimitMb", "processLimit", "maxStarts", "freeMemoryMb", "warmProcesses", "warmIdleMs"],
  "Output, events and logs": [
    "outputLimitMb",
    "lineLimitMb",
    "eventLimit",
    "logLimitMb",
    "logsTotalMb",
    "logKeepDays",
    "eventKeepDays",
  ],
  "Circuit breakers": ["breakerFailures", "breakerPauseMs", "breakerPauseMaxMs"],
} as const;

export type LimitKey = (typeof groups)[keyof typeof groups][number];

/** What is configured, with the words that the documentation has for it. */
export function configuredLimits(
  config: Readonly<Record<LimitKey, number>>,
  settings: Readonly<Record<LimitKey, { variable: string; meaning: string }>>,
): LimitGroup[] {
  return Object.entries(groups).map(([title, keys]) => ({
    title,
    limits: keys.map((key) => ({
      variable: settings[key].variable,
      // It is Markdown, of which no more than code is ever in it.
      meaning: settings[key].meaning.replaceAll("`", ""),
      value: valueShown(key, config[key]),
    })),
  }));
}

/** The unit is the last word of a setting's name; what 0 means is told with the setting. */
function valueShown(key: LimitKey, value: number): string {
  if (value === 0) return "0";
  if (key.endsWith("Ms")) return durationText(value);
  if (key.endsWith("Mb")) return `${countShown(value)} MiB`;
  return key.endsWith("Days") ? plural(value, "day") : countShown(value);
}
