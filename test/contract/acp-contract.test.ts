import { dialectContract } from "./dialect-contract.ts";
import { acpOneTurn, acpWarm } from "./specimens/acp.ts";

dialectContract(acpWarm);
dialectContract(acpOneTurn);
