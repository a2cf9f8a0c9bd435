import { sharedScenarios } from "./shared-scenarios.ts";
import { opencodeTraits } from "./traits.ts";

sharedScenarios(opencodeTraits);
