import { sharedScenarios } from "./shared-scenarios.ts";
import { geminiTraits } from "./traits.ts";

sharedScenarios(geminiTraits);
