import { leastScenarios } from "./shared-scenarios.ts";
import { opencodeTraits } from "./traits.ts";

leastScenarios(opencodeTraits);
