import type { Cli } from "../../domain/agent.ts";
import type { Adapter } from "./adapter.ts";
import { claudeAdapter } from "./claude.ts";
import { demoAdapter } from "./demo.ts";

const adapters: Partial<Record<Cli, Adapter>> = { claude: claudeAdapter, demo: demoAdapter };

/** The adapter of a CLI; undefined for one that Headway knows by name and can't carry yet. */
export function findAdapter(cli: Cli): Adapter | undefined {
  return adapters[cli];
}
