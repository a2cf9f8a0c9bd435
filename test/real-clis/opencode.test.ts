import { coreScenarios } from "./shared-scenarios.ts";
import { opencodeTraits } from "./traits.ts";

coreScenarios(opencodeTraits);
