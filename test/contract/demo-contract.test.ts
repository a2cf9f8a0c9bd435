import { dialectContract } from "./dialect-contract.ts";
import { demoOneTurn, demoWarm } from "./specimens/demo.ts";

dialectContract(demoWarm);
dialectContract(demoOneTurn);
