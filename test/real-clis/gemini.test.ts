import { coreScenarios } from "./shared-scenarios.ts";
import { geminiTraits } from "./traits.ts";

coreScenarios(geminiTraits);
