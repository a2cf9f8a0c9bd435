import { filePolicyScenarios } from "./file-policy-scenarios.ts";
import { droidTraits, geminiTraits, opencodeTraits } from "./traits.ts";

for (const traits of [geminiTraits, droidTraits, opencodeTraits]) {
  filePolicyScenarios(traits, { agent: { permissionMode: "full" } });
}
