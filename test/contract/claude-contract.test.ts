import { dialectContract } from "./dialect-contract.ts";
import { claudeOneTurn, claudeWarm } from "./specimens/claude.ts";

dialectContract(claudeWarm);
dialectContract(claudeOneTurn);
