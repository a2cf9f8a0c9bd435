import { sharedScenarios } from "./shared-scenarios.ts";
import { droidTraits } from "./traits.ts";

sharedScenarios(droidTraits);
