import { coreScenarios } from "./shared-scenarios.ts";
import { droidTraits } from "./traits.ts";

coreScenarios(droidTraits);
